"""The only reader of ``schemas/``: parsed Avro schemas by subject, version and id."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

import fastavro

FIRST_ID = 1_000_000
"""Ids of the checked-in table start here, so that they never meet those of a registry."""


@cache
def table() -> dict[str, int]:
    """Return the checked-in ids by ``<subject>/v<N>``."""
    return cast(dict[str, int], json.loads(files("schemas").joinpath("ids.json").read_text()))


@cache
def text(name: str) -> str:
    """Return the schema ``<subject>/v<N>`` as it lies in the repository."""
    return files("schemas").joinpath(f"{name}.avsc").read_text(encoding="utf-8")


@cache
def parsed(name: str) -> dict[str, Any]:
    """Return the schema ``<subject>/v<N>`` parsed for fastavro."""
    return cast(dict[str, Any], fastavro.parse_schema(json.loads(text(name))))


def newest(subject: str) -> str:
    """Return the newest ``<subject>/v<N>`` of a subject."""
    return versions(subject)[-1]


def schema_id(name: str) -> int:
    """Return the id that records of ``<subject>/v<N>`` carry: a registry's where there is one, else the table's."""
    return _registered().get(name, table()[name])


@cache
def by_id() -> dict[int, str]:
    """Return ``<subject>/v<N>`` by id: those of the checked-in table, and those that a registry has given."""
    return {number: name for name, number in table().items()}


def learn(registered: Mapping[int, str]) -> None:
    """Take the ids of a registry: from now on records carry them, and those with ids of the table are read as well."""
    by_id().update(registered)
    _registered().update({name: number for number, name in registered.items()})


@cache
def _registered() -> dict[str, int]:
    return {}


def versions(subject: str) -> list[str]:
    """Return every ``<subject>/v<N>`` of a subject, oldest first."""
    return sorted((name for name in table() if name.split("/")[0] == subject), key=_number)


def _number(name: str) -> int:
    return int(name.split("/v")[1])
