"""Where Maven packages come from: this machine's own configuration, never an address written down here."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

from services.common.errors import Stop


def repositories(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Addresses to ask in turn, without a trailing slash.

    WATERCOOLER_MAVEN alone when it is set; else the mirror of the user's Maven settings, the repositories of jgo's
    settings, and jgo's default. Stop when jgo is missing.
    """
    if chosen := environ.get("WATERCOOLER_MAVEN"):
        return [chosen.rstrip("/")]
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError:
        raise Stop(
            "The package jgo is not installed, so Kafka and Elasticsearch cannot be fetched: install "
            "watercooler[standalone], or name running servers by WATERCOOLER_KAFKA and WATERCOOLER_ELASTICSEARCH."
        ) from None
    settings = GlobalSettings.load()
    found = [*mirrors(Path.home() / ".m2" / "settings.xml"), *settings.repositories.values()]
    found += MavenContext(remote_repos=None).remote_repos.values()
    return list(dict.fromkeys(address.rstrip("/") for address in found))


def mirrors(settings: Path) -> list[str]:
    """Addresses of the mirrors that stand for everything, or for the default repository, in a Maven settings file."""
    if not settings.exists():
        return []
    try:
        root = ElementTree.parse(settings).getroot()  # noqa: S314 - the user's own settings, not something received
    except ElementTree.ParseError as error:
        raise Stop(f"The Maven settings {settings} are not valid XML ({error}): correct them.") from error
    found = []
    for mirror in root.iterfind(".//{*}mirror"):
        covers = {name.strip() for name in mirror.findtext("{*}mirrorOf", "").split(",")}
        address = mirror.findtext("{*}url", "").strip()
        if address.startswith("http") and covers & {"*", "external:*", "central"}:
            found.append(address)
    return found
