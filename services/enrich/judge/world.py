"""What happened, as numbers: who engaged in what and when, who was mentioned where. Grows by enriched activities.

Only activities in which somebody engages count, as `scoring.engagements` has it; what bots do is left out. An
*engagement* here is one person, one activity, one object: a commit of two people in two areas makes four.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from services.common.embedding import DIMENSIONS
from services.common.model import Enriched, micros
from services.enrich.scoring.engagements import engagements, in_thread, people_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAY = 86_400 * 1_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Engaged:
    """Engagements in the order of time, a column each; ``time`` in micros, the others are numbers of things."""

    time: Ints
    event: Ints
    object: Ints
    container: Ints
    person: Ints

    def between(self, start: int, end: int) -> slice:
        """Return the rows with start <= time < end (micros)."""
        return slice(*np.searchsorted(self.time, [start, end]).tolist())


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Mentions in the order of time: ``by`` mentioned ``person`` in ``object``."""

    time: Ints
    event: Ints
    object: Ints
    person: Ints
    by: Ints

    def between(self, start: int, end: int) -> slice:
        """Return the rows with start <= time < end (micros)."""
        return slice(*np.searchsorted(self.time, [start, end]).tolist())


@dataclass(frozen=True, slots=True)
class World:
    """Everything that happened. ``threads`` tells which objects are threads of a chat; the rest is per event."""

    people: Sequence[str]
    objects: Sequence[str]
    containers: Sequence[str]
    threads: Flags
    engaged: Engaged
    mentioned: Mentioned
    activities: Sequence[str]
    texts: Sequence[str]
    vectors: NDArray[np.float16]
    """Shape (events, 256)."""
    names: Mapping[str, str]
    """How places are called, by id."""

    def label(self, container: str) -> str:
        """Return how a container is called; an area of a repository is called by both."""
        if container in self.names:
            return self.names[container]
        home, mark, path = container.rpartition(":")
        return f"{self.names[home]} {path}".strip() if mark and home in self.names else container

    def without_texts(self) -> "World":
        """Return the same without texts and ids of activities, to be handed to another process."""
        return replace(self, activities=[], texts=[])


class _Numbers(dict[str, int]):
    """Gives each name the next number, once."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number


def _columns(count: int) -> "list[array[int]]":
    return [array("q") for _ in range(count)]


@dataclass(slots=True)
class Builder:
    """Takes in enriched activities, oldest first; ``world`` gives what has come so far."""

    _people: _Numbers = field(default_factory=_Numbers)
    _objects: _Numbers = field(default_factory=_Numbers)
    _containers: _Numbers = field(default_factory=_Numbers)
    _threads: set[int] = field(default_factory=set)
    _engaged: "list[array[int]]" = field(default_factory=lambda: _columns(5))
    _mentioned: "list[array[int]]" = field(default_factory=lambda: _columns(5))
    _activities: list[str] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _vectors: bytearray = field(default_factory=bytearray)
    _names: dict[str, str] = field(default_factory=dict)

    def add(self, batch: Iterable[Enriched]) -> None:
        """Take in activities; they must not be older than what came before."""
        for one in batch:
            people = people_of(one)
            things = engagements(one) if people else ()
            if not things:
                continue
            time, event = micros(one.activity.published), len(self._activities)
            everyone = [self._people[person] for person in people]
            for thing in things:
                number = self._objects[thing.object]
                if in_thread(one.activity):
                    self._threads.add(number)
                for person in everyone:
                    _append(self._engaged, time, event, number, self._containers[thing.container], person)
                for mention in one.mention_people:
                    _append(self._mentioned, time, event, number, self._people[mention], everyone[0])
            self._names.update((place.id, place.name) for place in one.activity.context if place.name)
            self._activities.append(one.activity.id)
            self._texts.append(words_of(one))
            self._vectors += one.vector or bytes(2 * DIMENSIONS)

    def world(self) -> World:
        """Return what happened."""
        threads = np.zeros(len(self._objects), dtype=bool)
        threads[list(self._threads)] = True
        return World(
            people=list(self._people),
            objects=list(self._objects),
            containers=list(self._containers),
            threads=threads,
            engaged=Engaged(*(np.array(column, dtype=np.int64) for column in self._engaged)),
            mentioned=Mentioned(*(np.array(column, dtype=np.int64) for column in self._mentioned)),
            activities=self._activities,
            texts=self._texts,
            vectors=np.frombuffer(bytes(self._vectors), dtype="<f2").reshape(-1, DIMENSIONS),
            names=self._names,
        )


def _append(columns: "list[array[int]]", *values: int) -> None:
    for column, value in zip(columns, values, strict=True):
        column.append(value)


def words_of(one: Enriched) -> str:
    """Return what an activity says: the name of its thread, if any, and its text."""
    names = [container.name for container in one.activity.context if container.type == "Thread"]
    return f"{names[-1]}\n{one.text}" if names else one.text
