"""``from: in: type: tag: before: after: has:`` in what a person types, as in chat and code hosts. Pure.

A minus in front leaves out. What looks like one and is none (``std::io``, ``http://``) is a word like any other.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.common.search.conditions import Condition, Either, Every, Has, Not, Published, Says
from services.gateway import filters as asked

NAMES = ("from", "in", "type", "tag", "source", "before", "after", "has")
HAS: dict[str, Condition] = {
    "link": Either((Says("https", "text"), Says("http", "text"))),
    "tag": Has("tags"),
}
TYPES = ("Article", "Commit", "Issue", "Note", "Page", "PullRequest", "Question", "Release", "Review")
"""Types of things, as connectors name them; typed in whatever case. Others are looked for as they are written."""
_FIELDS = {"type": "type", "tag": "tags", "source": "source"}
_TYPES = {one.lower(): one for one in TYPES}
_QUALIFIER = re.compile(rf'(?<!\S)(-?)({"|".join(NAMES)}):("[^"]*"|[^\s"]+)', re.IGNORECASE)
_MOST = 20

Called = Callable[[str], frozenset[str]]
"""Returns the ids of what is called so: people by a handle, places by a name."""


@dataclass(frozen=True, slots=True)
class Known:
    """What names stand for, as far as the asker may know."""

    people: Called
    places: Called


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed: the words that are left, and the condition that the qualifiers make; None without any."""

    words: str
    where: Condition | None = None


def read(text: str, person: str, known: Known) -> Question:
    """Return what a person (who is ``me`` in it) has typed; raises Problem for a qualifier with a wrong value."""
    found = _QUALIFIER.findall(text)
    if not found:
        return Question(text)
    if len(found) > _MOST:
        raise asked.wrong("q", f"at most {_MOST} of from:, in:, ... are expected, {len(found)} were given")
    parts = [_condition(name.lower(), value.strip('"'), person, known) for _, name, value in found]
    signed = (Not(part) if sign else part for part, (sign, _, _) in zip(parts, found, strict=True))
    return Question(" ".join(_QUALIFIER.sub(" ", text).split()), Every(tuple(signed)))


def again(text: str, meant: str) -> str:
    """Return what was typed with other words, and the same qualifiers before them."""
    kept = [match.group() for match in _QUALIFIER.finditer(text)]
    return " ".join([*kept, meant])


def _condition(name: str, value: str, person: str, known: Known) -> Condition:
    if not value:
        raise asked.wrong("q", f"{name}: needs a value, as in {name}:something")
    if name == "from":
        who = person if value.lower() == "me" and person else value
        return _any("people", who, *sorted(known.people(value.removeprefix("@"))))
    if name == "in":
        return _any("context", value, *sorted(known.places(value)))
    if name == "before":
        return Published(until=_day(name, value))
    if name == "after":
        return Published(since=_day(name, value))
    if name == "has":
        return _has(value.lower())
    return _any(_FIELDS[name], value, value.lower(), *([_TYPES[value.lower()]] if value.lower() in _TYPES else []))


def _any(field: str, *values: str) -> Condition:
    return Has(field, tuple(dict.fromkeys(values)))


def _has(value: str) -> Condition:
    if value not in HAS:
        raise asked.wrong("q", f"has: one of {', '.join(HAS)} is expected")
    return HAS[value]


def _day(name: str, value: str) -> datetime:
    try:
        day = date.fromisoformat(value)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        raise asked.wrong("q", f"{name}: a date as in 2026-03-01 is expected") from None
