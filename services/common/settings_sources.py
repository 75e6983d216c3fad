"""Options of sources, checked by their connectors' own models, wherever those come from.

A secret of a source may be given by a variable, ``WATERCOOLER_SOURCE_<NAME>_<OPTION>``, or by a file that the variable
with ``_FILE`` at its end names.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from services.common.errors import Stop
from services.common.settings import PREFIX, Source
from services.common.settings_mistakes import explain

CONNECTORS = "watercooler.connectors"
"""Group of entry points that connectors register in; each has its options as ``settings``, a pydantic model."""


def mistakes(sources: Sequence[Source], path: Path) -> Iterator[str]:
    """Yield one line a mistake in the sources' options, with its place."""
    names = sorted(point.name for point in entry_points(group=CONNECTORS))
    seen: set[str] = set()
    for number, source in enumerate(sources):
        if source.name in seen:
            yield f"{path}: two sources are named {source.name!r}; ids are made of the name, so give each its own"
        seen.add(source.name)
        found = entry_points(group=CONNECTORS, name=source.kind)
        if not found:
            yield f"{path}: source {source.name}: there is no connector {source.kind!r}; there are {', '.join(names)}"
            continue
        try:
            model: type[BaseModel] = next(iter(found)).load().settings
            model.model_validate(options_of(source, model))
        except ValidationError as error:
            yield explain(error, path, within=("sources", number))


def options_of(source: Source, model: type[BaseModel], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return a source's options with the secrets that variables give. Raises Stop when a file cannot be read."""
    options = source.options()
    for name in _secrets(model):
        variable = variable_of(source, name)
        if variable in environ:
            options[name] = environ[variable]
        elif file := environ.get(f"{variable}_FILE"):
            options[name] = _read(file, variable)
    return options


def variable_of(source: Source, option: str) -> str:
    """Return the variable that gives a secret of a source."""
    return f"{PREFIX}SOURCE_{re.sub('[^A-Z0-9]', '_', source.name.upper())}_{option.upper()}"


def variables(sources: Sequence[Source]) -> frozenset[str]:
    """Return all variables that give secrets of these sources."""
    found: set[str] = set()
    for source in sources:
        for point in entry_points(group=CONNECTORS, name=source.kind):
            names = [variable_of(source, name) for name in _secrets(point.load().settings)]
            found.update(names, (f"{name}_FILE" for name in names))
    return frozenset(found)


def _secrets(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.annotation is SecretStr]


def _read(file: str, variable: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{variable}_FILE: the secret cannot be read from its file: {error}") from error
