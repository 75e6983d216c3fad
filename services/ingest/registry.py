"""Connectors by name, from the entry points ``watercooler.connectors``: ours and other people's alike."""

from importlib.metadata import entry_points

from pydantic import BaseModel, SecretStr, ValidationError

from services.common import settings_sources
from services.common.errors import Stop
from services.common.settings import Source
from services.ingest.connector import Kind

GROUP = settings_sources.CONNECTORS


def available() -> tuple[str, ...]:
    """Return the names of all registered connectors."""
    return tuple(sorted(point.name for point in entry_points(group=GROUP)))


def load(name: str) -> Kind:
    """Return a connector; only now its code is imported. Raises Stop naming those there are."""
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise Stop(f"there is no connector {name!r}; there are {', '.join(available())}")
    kind: Kind = next(iter(found)).load()
    return kind


def options_of(source: Source, kind: Kind) -> BaseModel:
    """Return a source's options, checked by the connector's model; raises Stop with every mistake."""
    try:
        return kind.settings.model_validate(settings_sources.options_of(source, kind.settings))
    except ValidationError as error:
        mistakes = "; ".join(_mistake(source, kind, one["loc"], one["msg"]) for one in error.errors())
        raise Stop(f"source {source.name} ({kind.name}) is not set up rightly: {mistakes}") from error


def _mistake(source: Source, kind: Kind, place: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in place)
    field = kind.settings.model_fields.get(name)
    secret = field is not None and field.annotation is SecretStr
    by = f" (a secret: give it by {settings_sources.variable_of(source, name)})" if secret else ""
    return f"{name}: {message}{by}" if name else message
