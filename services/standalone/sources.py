"""`--source KIND:WHERE` on the command line as a source of the settings."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from services.common.errors import Stop
from services.common.settings import Source

KINDS = ("git", "mediawiki", "matrix")


def parse(given: Iterable[str], taken: Iterable[str] = ()) -> list[Source]:
    """Return the sources meant, each with a name of its own that is not `taken`. Stop when one is not understood."""
    names = set(taken)
    sources = []
    for text in given:
        kind, colon, where = text.partition(":")
        if not colon or not where or kind not in KINDS:
            raise Stop(
                f"--source {text} is not understood: write KIND:WHERE with one of {', '.join(KINDS)}, such as "
                "git:. or mediawiki:https://wiki.example/api.php; other kinds go into watercooler.toml."
            )
        source = Source.model_validate({"name": _free(_name(where), names), "kind": kind, "url": _whole(where)})
        names.add(source.name)
        sources.append(source)
    return sources


def _whole(where: str) -> str:
    """A path of this machine in full; an address as it is."""
    path = Path(where).expanduser()
    return str(path.resolve()) if path.exists() else where


def _name(where: str) -> str:
    """A short name: the folder's or the repository's, or the host's."""
    parts = urlsplit(where)
    path = Path(where).expanduser()
    last = path.resolve().name if path.exists() else parts.path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if not last or last.endswith(".php"):
        last = parts.hostname or "source"
    return re.sub(r"[^a-z0-9._-]+", "-", last.lower()).strip("-._")[:50] or "source"


def _free(name: str, taken: set[str]) -> str:
    candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)
