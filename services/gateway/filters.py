"""Filters of feeds: the same names and meaning for REST, for search and for the live stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from multidict import MultiMapping

from services.common.model import Enriched, micros
from services.common.search import Query
from services.common.search.conditions import Condition, Either, Every, Has, Not, Published, Says
from services.gateway.problems import Problem

FIELDS: Mapping[str, str] = {
    "source": "source",
    "type": "type",
    "verb": "verb",
    "actor": "actor",
    "person": "people",
    "container": "context",
    "tag": "tags",
    "mention": "mentions",
    "thread": "thread",
}
"""Name of a filter and the field of the index that it looks at."""

_NAME_OF = {field: name for name, field in FIELDS.items()}
OF_ACTS = ("actor", "mention")
"""Filters of activities only: objects have no such fields."""
VALUES = 20
LONGEST = 1_024
TEXT = 500


_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for. Values of one name are alternatives; names are joined by "and". Hashable."""

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    def fields(self, without: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
        """Return the filters of a search query, except those named."""
        return {FIELDS[name]: given for name, given in self.values if name not in without}

    def activities(self, **more: Any) -> Query:
        """Return the query for the activities that are asked for; ``more`` is what else a query takes."""
        return Query(
            kind="activities",
            principals=(),
            text=self.text,
            filters=self.fields(),
            since=self.since,
            until=self.until,
            **more,
        )

    def condition(self) -> Condition:
        """Return all that is asked for as one condition."""
        parts: list[Condition] = [Has(FIELDS[name], given) for name, given in self.values]
        parts += [Published(self.since, self.until)] if self.since or self.until else []
        return Every((*parts, *([Says(self.text)] if self.text else [])))

    def get(self, name: str) -> tuple[str, ...]:
        """Return the values of one filter."""
        return dict(self.values).get(name, ())

    def narrowed(self, other: "Filters") -> "Filters | None":
        """Return what both ask for; None where nothing can be both."""
        mine, theirs = dict(self.values), dict(other.values)
        values = mine | theirs
        for name in mine.keys() & theirs.keys():
            values[name] = tuple(value for value in mine[name] if value in theirs[name])
            if not values[name]:
                return None
        return Filters(
            values=tuple(sorted(values.items())),
            since=max((at for at in (self.since, other.since) if at), default=None),
            until=min((at for at in (self.until, other.until) if at), default=None),
            text=f"{self.text} {other.text}".strip(),
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Return the filters as query parameters."""
        found = [(name, value) for name, given in self.values for value in given]
        found += [(name, at.isoformat()) for name, at in (("since", self.since), ("until", self.until)) if at]
        return found + ([("q", self.text)] if self.text else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What filters look at in one activity. ``words`` is all its text, in lower case."""

    values: Mapping[str, frozenset[str]]
    published: int
    words: str

    def match(self, filters: Filters) -> bool:
        """Return whether the activity is among what is asked for."""
        if any(self.values.get(name, _NOTHING).isdisjoint(given) for name, given in filters.values):
            return False
        if filters.since and self.published < micros(filters.since):
            return False
        if filters.until and self.published >= micros(filters.until):
            return False
        return not filters.text or self.say(filters.text)

    def say(self, text: str) -> bool:
        """Return whether all words of a text stand in the activity's, as they are written; parts of words will do."""
        return all(word in self.words for word in text.lower().split())

    def hold(self, condition: Condition) -> bool:
        """Return whether a condition of the index holds of the activity, without asking the index.

        The same as there, but for ``Says``: the index also knows other forms of a word.
        """
        match condition:
            case Has(field, values):
                mine = self.values.get(_NAME_OF.get(field, field), _NOTHING)
                return not mine.isdisjoint(values) if values else bool(mine)
            case Says(text):
                return self.say(text)
            case Published(since, until):
                return self.match(Filters(since=since, until=until))
            case Every(parts):
                return all(self.hold(part) for part in parts)
            case Either(parts):
                return any(self.hold(part) for part in parts)
            case Not(part):
                return not self.hold(part)


def facts(e: Enriched) -> Facts:
    """Return what filters look at in an enriched activity."""
    a = e.activity
    said = (a.object.title, e.text, a.actor.name, *a.tags, *e.tags, *e.phrases, *a.files)
    return Facts(
        values={
            "source": frozenset({a.provenance.source}),
            "type": frozenset({a.type.value}),
            "verb": frozenset({a.verb}),
            "actor": frozenset({a.actor.id}),
            "person": frozenset(p for p in (e.person, *e.coauthor_people) if p),
            "container": frozenset(c.id for c in a.context),
            "tag": frozenset((*a.tags, *e.tags)),
            "mention": frozenset(e.mention_people),
            "thread": frozenset({e.thread}),
            "automated": frozenset({str(e.automated).lower()}),
        },
        published=micros(a.published),
        words="\n".join(said).lower(),
    )


def read(query: MultiMapping[str]) -> Filters:
    """Return the filters in query parameters; raises Problem that names the wrong one."""
    values = tuple((name, _values(name, query.getall(name))) for name in FIELDS if query.getall(name, []))
    return Filters(values=values, since=_time(query, "since"), until=_time(query, "until"), text=text(query))


def text(query: MultiMapping[str]) -> str:
    """Return what a person typed into ``q``."""
    given = one(query, "q").strip()
    if len(given) > TEXT:
        raise wrong("q", f"at most {TEXT} characters are expected, {len(given)} were given")
    return given


def one(query: MultiMapping[str], name: str) -> str:
    """Return a parameter that may be given once; empty when it is not there."""
    given = query.getall(name, [])
    if len(given) > 1:
        raise wrong(name, "it may be given once only")
    return given[0] if given else ""


def value(query: MultiMapping[str], name: str) -> str:
    """Return a parameter as ``one``, of no more characters than a value of a filter has."""
    given = one(query, name)
    if len(given) > LONGEST:
        raise wrong(name, f"at most {LONGEST} characters are expected")
    return given


def number(query: MultiMapping[str], name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number within bounds."""
    given = one(query, name)
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and least <= int(given) <= most):
        raise wrong(name, f"a whole number from {least} to {most} is expected")
    return int(given)


def share(query: MultiMapping[str], name: str, *, default: float) -> float:
    """Return a number from 0 to 1."""
    given = one(query, name)
    try:
        found = float(given) if given else default
    except ValueError:
        found = -1
    if not 0 <= found <= 1:
        raise wrong(name, "a number from 0 to 1 is expected")
    return found


def only(query: MultiMapping[str], *known: str) -> None:
    """Raise Problem for a parameter that is not known: a misspelt filter must not widen what is answered."""
    unknown = sorted(set(query) - {*known, "as"})
    if unknown:
        raise wrong(unknown[0][:60], f"there is no such parameter; known are {', '.join(known) or 'none'}")


def wrong(name: str, why: str) -> Problem:
    """Return the problem of a parameter."""
    return Problem(400, "bad-parameter", f"{name}: {why}.", parameter=name)


def _values(name: str, given: list[str]) -> tuple[str, ...]:
    found = tuple(sorted({value for value in given if value}))
    if len(given) > VALUES:
        raise wrong(name, f"at most {VALUES} values are expected, {len(given)} were given")
    if any(len(value) > LONGEST for value in found):
        raise wrong(name, f"a value of at most {LONGEST} characters is expected")
    if not found:
        raise wrong(name, "a value is expected")
    return found


def _time(query: MultiMapping[str], name: str) -> datetime | None:
    given = one(query, name)
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given.replace(" ", "+"))  # a plus sign that was not escaped arrives as a space
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(name, "a date or time as in 2026-03-01 or 2026-03-01T12:00:00Z is expected") from None
