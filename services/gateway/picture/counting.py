"""What was done about a topic, counted by place and by unit so that no single person shows. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Literal

LEAST = 3
"""Fewer people, or fewer things in common, are not counted out: who they are could be guessed."""
PLACES = 12
UNITS = 6
CONNECTIONS = 40
NEAR = 12

Kind = Literal["place", "unit"]
Key = tuple[Kind, str]
UnitOf = Callable[[str], str]
"""Returns the unit of a person, empty where none is known or none is to be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One activity about the topic. ``reaches`` are ids of its object, its conversation and what it links to."""

    object: str
    place: str
    place_name: str
    place_type: str
    people: tuple[str, ...]
    reaches: frozenset[str]
    tags: tuple[str, ...]
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A place or a unit in which the topic lives. ``people`` is 0 where there are too few to say."""

    key: Key
    name: str
    type: str
    things: int
    people: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What two of them have in common: people active in both, things that reach into both; 0 is too few to say."""

    between: tuple[Key, Key]
    people: int
    things: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The topic at one time. ``near`` are tags that things about it have, and of how many; ``more`` places left out."""

    nodes: Sequence[Node]
    connections: Sequence[Connection]
    near: Sequence[tuple[str, int]]
    more: int

    def of(self, kind: Kind) -> list[Node]:
        """Return the nodes of a kind, most active first."""
        return [node for node in self.nodes if node.key[0] == kind]


@dataclass(slots=True)
class _Tally:
    since: datetime
    newest: datetime
    name: str
    type: str
    things: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


def counted(acts: Sequence[Act], unit_of: UnitOf, *, topic: str = "") -> Counted:
    """Return places and units of these acts, the most active ones, and what connects them."""
    tallies: dict[Key, _Tally] = {}
    for act in acts:
        for key, people in _parts(act, unit_of).items():
            _add(tallies, key, act, people)
    places = _most(tallies, "place", PLACES)
    units = [one for one in _most(tallies, "unit", UNITS) if len(tallies[one].people) >= LEAST]
    return Counted(
        nodes=[_node(key, tallies[key]) for key in (*places, *units)],
        connections=_connections(acts, unit_of, {*places, *units}),
        near=_near(acts, topic),
        more=sum(1 for kind, _ in tallies if kind == "place") - len(places),
    )


def _parts(act: Act, unit_of: UnitOf) -> dict[Key, tuple[str, ...]]:
    """Return the nodes that an act belongs to, each with those of its people who count there."""
    found: dict[Key, tuple[str, ...]] = {("place", act.place): act.people}
    for person in act.people:
        if unit := unit_of(person):
            found["unit", unit] = (*found.get(("unit", unit), ()), person)
    return found


def _add(tallies: dict[Key, _Tally], key: Key, act: Act, people: Iterable[str]) -> None:
    name, type_ = (act.place_name, act.place_type) if key[0] == "place" else (key[1], "Organization")
    tally = tallies.setdefault(key, _Tally(act.published, act.published, name, type_))
    tally.since = min(tally.since, act.published)
    if act.published > tally.newest:
        tally.newest, tally.name, tally.type = act.published, name, type_
    tally.things.add(act.object)
    tally.people.update(people)


def _most(tallies: dict[Key, _Tally], kind: Kind, most: int) -> list[Key]:
    found = [key for key in tallies if key[0] == kind]
    return sorted(found, key=lambda key: (-len(tallies[key].things), key))[:most]


def _node(key: Key, tally: _Tally) -> Node:
    return Node(
        key=key,
        name=tally.name or key[1],
        type=tally.type,
        things=len(tally.things),
        people=_unless_few(len(tally.people)),
        since=tally.since,
    )


def _connections(acts: Sequence[Act], unit_of: UnitOf, shown: Collection[Key]) -> list[Connection]:
    people, things = _in_common(acts, unit_of, shown)
    found = []
    for pair in people.keys() | things.keys():
        by_people = _unless_few(people[pair])
        # A unit does things in its places anyway; only people in numbers connect it with one.
        by_things = things[pair] if pair[0][0] == pair[1][0] == "place" else 0
        if by_people or by_things:
            found.append((by_people, by_things, pair))
    found.sort(key=lambda one: (-one[0] - one[1], one[2]))
    return [
        Connection(between=pair, people=by_people, things=_unless_few(by_things))
        for by_people, by_things, pair in found[:CONNECTIONS]
    ]


Pairs = Counter[tuple[Key, Key]]


def _in_common(acts: Sequence[Act], unit_of: UnitOf, shown: Collection[Key]) -> tuple[Pairs, Pairs]:
    """Return for pairs of nodes how many people and how many things they have in common. Two units have no pair."""
    of_people: defaultdict[str, set[Key]] = defaultdict(set)
    of_things: defaultdict[str, set[Key]] = defaultdict(set)
    for act in acts:
        place: Key = ("place", act.place)
        for one in act.reaches:
            of_things[one].add(place)
        for person in act.people:
            of_people[person] |= {place, ("unit", unit_of(person))}
    people, things = (
        Counter(pair for keys in found.values() for pair in combinations(sorted(keys & set(shown)), 2))
        for found in (of_people, of_things)
    )
    return people, things


def _near(acts: Sequence[Act], topic: str) -> list[tuple[str, int]]:
    things: defaultdict[str, set[str]] = defaultdict(set)
    for act in acts:
        for tag in act.tags:
            if tag.lower() != topic.lower():
                things[tag].add(act.object)
    found = sorted(things, key=lambda tag: (-len(things[tag]), tag))
    return [(tag, len(things[tag])) for tag in found[:NEAR]]


def _unless_few(count: int) -> int:
    return count if count >= LEAST else 0
