"""Options of sources, checked by their connectors' own models, wherever those come from."""

from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from pydantic import ValidationError

from services.common.settings import Source
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
            next(iter(found)).load().settings.model_validate(source.options())
        except ValidationError as error:
            yield explain(error, path, within=("sources", number))
