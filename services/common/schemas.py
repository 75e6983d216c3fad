"""The only reader of ``schemas/``: parsed Avro schemas by subject, version and id."""

import json
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
    return max((name for name in table() if name.split("/")[0] == subject), key=lambda name: int(name.split("/v")[1]))


def schema_id(name: str) -> int:
    """Return the checked-in id of ``<subject>/v<N>``."""
    return table()[name]


@cache
def by_id() -> dict[int, str]:
    """Return ``<subject>/v<N>`` by checked-in id."""
    return {number: name for name, number in table().items()}
