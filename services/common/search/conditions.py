"""Conditions beyond the plain filters of a query: what may hold of a document, joined by and, or and not.

One tree for what people follow, for their rules and for ``from:`` or ``in:`` in a search. Both adapters read it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Has:
    """A field has one of these values; without values, any at all."""

    field: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Says:
    """The text is about these words, as for ``Query.text``; it never ranks. ``field`` looks at one field alone."""

    text: str
    field: Literal["", "title", "text"] = ""


@dataclass(frozen=True, slots=True)
class Published:
    """It was published at or after ``since`` and before ``until``; or by ``field`` taken in then (activities only)."""

    since: datetime | None = None
    until: datetime | None = None
    field: Literal["published", "recorded"] = "published"


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts hold; true without any."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the parts holds; false without any."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Has | Says | Published | Every | Either | Not


def leaves(condition: Condition) -> Iterator[Has | Says | Published]:
    """Return what is asked of documents, without how it is joined; the tree may be of any depth."""
    left: list[Condition] = [condition]
    while left:
        match left.pop():
            case Every(parts) | Either(parts):
                left += parts
            case Not(part):
                left.append(part)
            case leaf:
                yield leaf


def depth(condition: Condition) -> int:
    """Return how deep conditions lie within each other; 1 for one that holds no others."""
    deepest, level = 1, [condition]
    while inside := [part for one in level for part in _parts(one)]:
        deepest, level = deepest + 1, inside
    return deepest


def _parts(condition: Condition) -> Sequence[Condition]:
    match condition:
        case Every(parts) | Either(parts):
            return parts
        case Not(part):
            return (part,)
    return ()
