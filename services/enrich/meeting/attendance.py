"""Who took part in what, and when last: the one table from which ties and meetings are read. Pure.

A row is a person in an object, with the largest event time; so the table is the same whatever the order and number of
deliveries. Bounded: beyond ``limit`` rows the older half goes.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.common.model import Enriched, micros
from services.enrich.scoring.engagements import engagements, people_of

DAY = 86_400 * 1_000_000
YEAR = 365 * DAY
_NEVER = -1


@dataclass(slots=True)
class Numbers:
    """Names by number, in the order in which they came."""

    names: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        """Return the number of a name, a new one if need be."""
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number

    def get(self, name: str) -> int:
        """Return the number of a name, -1 where it is not known."""
        return self._numbers.get(name, -1)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of the year before a moment, as columns of equal length; ``days`` before that moment, at least 0."""

    people: NDArray[np.int64]
    objects: NDArray[np.int64]
    containers: NDArray[np.int64]
    days: NDArray[np.float64]


class Attendance:
    """``clock`` is the largest event time seen, in micros; ``version`` moves with every change."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.people, self.objects, self.containers = Numbers(), Numbers(), Numbers()
        self.clock = 0
        self.version = 0
        self._limit = limit
        self._rows: dict[tuple[int, int], int] = {}
        self._columns = tuple(array("q") for _ in range(4))

    def observe(self, one: Enriched) -> None:
        """Take in an activity; the same one again changes nothing."""
        time = micros(one.activity.published)
        self.clock = max(self.clock, time)
        for engaged in engagements(one):
            for person in people_of(one):
                self._attend(person, engaged.object, engaged.container, time)
        if len(self._rows) > self._limit:
            self._keep_newer_half()

    def _attend(self, person: str, object_id: str, container: str, time: int) -> None:
        people, objects, containers, last = self._columns
        key = self.people.of(person), self.objects.of(object_id)
        row = self._rows.setdefault(key, len(last))
        if row < len(last):
            if time <= last[row]:
                return
            last[row] = time
        else:
            people.append(key[0])
            objects.append(key[1])
            containers.append(self.containers.of(container))
            last.append(time)
        self.version += 1

    def forget(self, person: str) -> None:
        """Let a person have taken part in nothing."""
        number = self.people.get(person)
        people, _, _, last = self._columns
        for row in np.flatnonzero(np.array(people) == number):
            last[row] = _NEVER
        self.version += 1

    def window(self, at: int) -> Window:
        """Return who took part in what within 365 days before ``at`` (micros)."""
        people, objects, containers, last = (np.array(column, dtype=np.int64) for column in self._columns)
        chosen = (last > max(_NEVER, at - YEAR)) & (last <= at)
        return Window(people[chosen], objects[chosen], containers[chosen], (at - last[chosen]) / DAY)

    def _keep_newer_half(self) -> None:
        old = self._names(np.argsort(np.array(self._columns[3]), kind="stable")[self._limit // 2 :])
        self.people, self.objects, self.containers = Numbers(), Numbers(), Numbers()
        self._rows, self._columns = {}, tuple(array("q") for _ in range(4))
        for row in old:
            self._attend(*row)

    def _names(self, rows: Iterable[int]) -> list[tuple[str, str, str, int]]:
        people, objects, containers, last = self._columns
        return [
            (
                self.people.names[people[row]],
                self.objects.names[objects[row]],
                self.containers.names[containers[row]],
                last[row],
            )
            for row in sorted(rows)
            if last[row] > _NEVER
        ]
