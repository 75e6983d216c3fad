"""How two people are tied: by what they shared, and by answers and mentions, decayed by event time. Pure.

A tie is a set of contacts by id, so what comes twice, or in another order, gives the same tie to the last digit. An
object of more than 30 people ties nobody, whenever the thirty-first comes.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from services.common.model import ActivityType, Enriched, micros
from services.enrich.meeting.attendance import DAY
from services.enrich.meeting.graph import LARGEST
from services.enrich.meeting.things import Thing, Things
from services.enrich.scoring.engagements import people_of

HALF_LIFE = 120 * DAY
_MOST_CONTACTS = 50
_MOST_OBJECTS = 10
_MOST_WAITING = 100_000
_MONTH = 30 * DAY
_MONTHS = 3
_SHARED, _DIRECT = 1.0, 2.0
"""Weights of a contact: an answer or a mention is meant for this person, a shared object for whoever comes."""


class Kind(StrEnum):
    """How far a tie has come; each includes the ones before."""

    MET = "met"
    REPLIED = "replied"
    RECIPROCAL = "reciprocal"
    SUSTAINED = "sustained"


@dataclass(frozen=True, slots=True, order=True)
class Contact:
    """One contact. ``by`` is who turned to the other, empty where both were just there; ``thing`` is where."""

    time: int
    id: str
    by: str
    thing: str

    @property
    def weight(self) -> float:
        """What it is worth when it is new."""
        return _DIRECT if self.by else _SHARED


@dataclass(frozen=True, slots=True)
class Tie:
    """As of its last contact: ``strength`` halves every 120 days from then. ``objects`` newest first, ids of things."""

    pair: tuple[str, str]
    strength: float
    kind: Kind
    first: int
    last: int
    objects: tuple[str, ...]


def pair_of(one: str, other: str) -> tuple[str, str]:
    """Return both in order."""
    return (one, other) if one <= other else (other, one)


def tie_of(pair: tuple[str, str], contacts: Iterable[Contact]) -> Tie | None:
    """Return the tie that contacts make; None for none."""
    ordered = sorted(contacts, reverse=True)
    if not ordered:
        return None
    last = ordered[0].time
    return Tie(
        pair=pair,
        strength=sum(one.weight * 0.5 ** ((last - one.time) / HALF_LIFE) for one in ordered),
        kind=_kind(ordered),
        first=ordered[-1].time,
        last=last,
        objects=tuple(dict.fromkeys(one.thing for one in ordered))[:_MOST_OBJECTS],
    )


def _kind(contacts: list[Contact]) -> Kind:
    sides = {one.by for one in contacts if one.by}
    if len(sides) == 2:
        return Kind.SUSTAINED if len({one.time // _MONTH for one in contacts}) >= _MONTHS else Kind.RECIPROCAL
    return Kind.REPLIED if sides else Kind.MET


@dataclass(slots=True)
class _Waiting:
    """Answers to what is not known yet: the log is in order per object only."""

    answers: OrderedDict[str, list[tuple[str, Contact]]] = field(default_factory=OrderedDict)

    def add(self, object_id: str, person: str, contact: Contact) -> None:
        self.answers.setdefault(object_id, []).append((person, contact))
        if len(self.answers) > _MOST_WAITING:
            self.answers.popitem(last=False)


class Ties:
    """Ties over things. ``touched`` are the pairs whose tie may have changed since it was last taken."""

    def __init__(self, things: Things, most_pairs: int = 1_000_000) -> None:
        self._things = things
        self._most = most_pairs
        self._contacts: OrderedDict[tuple[str, str], dict[str, Contact]] = OrderedDict()
        self._of_person: dict[str, set[tuple[str, str]]] = {}
        self._authors: OrderedDict[str, str] = OrderedDict()
        self._waiting = _Waiting()
        self._touched: dict[tuple[str, str], None] = {}

    def take_touched(self) -> list[tuple[str, str]]:
        """Return the pairs whose tie may have changed since the last call."""
        touched, self._touched = list(self._touched), {}
        return touched

    def get(self, one: str, other: str) -> Tie | None:
        """Return the tie of two people; None where there is none."""
        pair = pair_of(one, other)
        return tie_of(pair, self._contacts.get(pair, {}).values())

    def of(self, person: str) -> Mapping[str, Tie]:
        """Return the ties of a person by the other one."""
        ties = {pair: self.get(*pair) for pair in self._of_person.get(person, ())}
        return {pair[pair[0] == person]: tie for pair, tie in ties.items() if tie}

    def observe(self, one: Enriched, touched: Iterable[tuple[Thing, tuple[str, ...]]]) -> None:
        """Take in an activity with what ``Things.observe`` returned for it."""
        for thing, new in touched:
            self._share(thing, new)
            self._turn_to(one, thing)

    def _share(self, thing: Thing, new: tuple[str, ...]) -> None:
        if len(thing.people) > LARGEST:
            self._untie(thing)
            return
        for one in new:
            for other in thing.people:
                if other != one:
                    time = max(thing.people[one], thing.people[other])
                    self._put(pair_of(one, other), Contact(time, f"met:{thing.key}", "", thing.key))

    def _untie(self, thing: Thing) -> None:
        if thing.crowded:
            return
        thing.crowded = True
        for pair in combinations(sorted(thing.people), 2):
            if self._contacts.get(pair, {}).pop(f"met:{thing.key}", None):
                self._touched[pair] = None

    def _turn_to(self, one: Enriched, thing: Thing) -> None:
        time, activity = micros(one.activity.published), one.activity
        for person in people_of(one):
            contact = Contact(time, activity.id, person, thing.key)
            for other in one.mention_people:
                self._contact(person, other, contact)
            self._answer(activity.object.in_reply_to, person, contact)
        if activity.type is ActivityType.CREATE:
            self._written(activity.object.id, one.person)

    def _answer(self, to: str, person: str, contact: Contact) -> None:
        if not to:
            return
        author = self._authors.get(to)
        if author is None:
            self._waiting.add(to, person, contact)
        else:
            self._contact(person, author, contact)

    def _written(self, object_id: str, author: str) -> None:
        if not author or object_id in self._authors:
            return
        self._authors[object_id] = author
        if len(self._authors) > self._most:
            self._authors.popitem(last=False)
        for person, contact in self._waiting.answers.pop(object_id, ()):
            self._contact(person, author, contact)

    def _contact(self, person: str, other: str, contact: Contact) -> None:
        if other and other != person:
            self._put(pair_of(person, other), contact)

    def _put(self, pair: tuple[str, str], contact: Contact) -> None:
        contacts = self._contacts.setdefault(pair, {})
        if contacts.get(contact.id) == contact:
            return
        contacts[contact.id] = contact
        if len(contacts) > _MOST_CONTACTS:
            del contacts[min(contacts, key=lambda id_: contacts[id_])]
        for person in pair:
            self._of_person.setdefault(person, set()).add(pair)
        self._touched[pair] = None
        self._contacts.move_to_end(pair)
        if len(self._contacts) > self._most:
            self._drop(next(iter(self._contacts)))

    def _drop(self, pair: tuple[str, str]) -> None:
        del self._contacts[pair]
        for person in pair:
            pairs = self._of_person[person]
            pairs.discard(pair)
            if not pairs:
                del self._of_person[person]
        self._touched[pair] = None

    def touch(self, thing: Thing) -> None:
        """Let the ties that rest on a thing be said again."""
        if len(thing.people) <= LARGEST:
            self._touched |= dict.fromkeys(combinations(sorted(thing.people), 2))

    def forget(self, person: str) -> None:
        """Let a person have met nobody."""
        for pair in sorted(self._of_person.get(person, ())):
            self._drop(pair)
