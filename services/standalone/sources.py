"""`--source KIND:WHERE` on the command line as a source of the settings."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from services.common.errors import Stop
from services.common.settings import Source
from services.ingest import registry

_PREFIX = "WATERCOOLER_"


def parse(given: Iterable[str], taken: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> list[Source]:
    """Return the sources meant, each with a name of its own that is not `taken`, checked by its connector.

    A secret that a connector needs comes from WATERCOOLER_<KIND>_<OPTION>, or from the file that
    WATERCOOLER_<KIND>_<OPTION>_FILE names. Stop when a source is not understood or lacks something.
    """
    names = set(taken)
    sources = []
    for text in given:
        kind, colon, where = text.partition(":")
        if not colon or not where or kind not in _kinds():
            raise Stop(
                f"--source {text} is not understood: write KIND:WHERE with one of {', '.join(_kinds())}, such as "
                "git:. or mediawiki:https://wiki.example/api.php; other kinds go into watercooler.toml."
            )
        options = {"url": _whole(where), **_secrets(kind, environ)}
        source = Source.model_validate({"name": _free(_name(where), names), "kind": kind, **options})
        _check(source, text)
        names.add(source.name)
        sources.append(source)
    return sources


def _kinds() -> list[str]:
    """The connectors that an address is enough for, secrets aside."""
    return [name for name in registry.available() if "url" in registry.load(name).settings.model_fields]


def _secret_options(kind: str) -> list[str]:
    fields = registry.load(kind).settings.model_fields
    return [name for name, field in fields.items() if field.annotation is SecretStr]


def _variable(kind: str, option: str) -> str:
    return f"{_PREFIX}{kind}_{option}".upper()


def _secrets(kind: str, environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for option in _secret_options(kind):
        variable = _variable(kind, option)
        if file := environ.get(f"{variable}_FILE"):
            try:
                found[option] = Path(file).read_text().strip()
            except OSError as error:
                raise Stop(f"{variable}_FILE={file} cannot be read ({error.strerror}): name another file.") from error
        elif variable in environ:
            found[option] = environ[variable]
    return found


def _check(source: Source, text: str) -> None:
    connector = registry.load(source.kind)
    fields = connector.settings.model_fields
    for option in _secret_options(source.kind):
        if fields[option].is_required() and option not in source.options():
            raise Stop(
                f"--source {text} needs its {option.replace('_', ' ')}: set {_variable(source.kind, option)}, "
                f"or {_variable(source.kind, option)}_FILE to a file that holds it."
            )
    registry.options_of(source, connector)


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
