"""What would have been shown, and what came of it: sums over people and weeks. Pure.

Shown is what the product scores highest: so many things a person and week. Nothing here is about a single person, and
what concerns fewer than five people is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.enrich.judge.metrics import Scores, ordered, tie_breaks
from services.enrich.judge.periods import said
from services.enrich.judge.weeks import HISTORY, Week
from services.enrich.judge.world import Flags, World

FEWEST_PEOPLE = 5
HOUR = 3_600_000_000
LEADS = {
    "under 1 h": 1,
    "1 to 6 h": 6,
    "6 to 24 h": 24,
    "1 to 3 days": 72,
    "3 to 7 days": 168,
    "7 to 14 days": float("inf"),
}
"""Upper ends, in hours."""
_MOST_WAYS = 12


@dataclass(frozen=True, slots=True)
class Sum:
    """Of one week, or of all: things shown, how many came true, how many of those by a call, and to how many people.

    ``possible`` is how many came true at all, shown or not; ``by_chance`` how many of as many things drawn by lot.
    """

    week: str
    shown: int
    came: int
    summoned: int
    people: int
    possible: int
    by_chance: float


@dataclass(frozen=True, slots=True)
class Way:
    """From the container in which people act most to the one in which something was for them."""

    source: str
    target: str
    shown: int
    came: int
    people: int


@dataclass(slots=True)
class Shown:
    """All that the page says of things shown. ``leads`` are the hours between coming up and coming."""

    weeks: list[Sum] = field(default_factory=list)
    leads: list[float] = field(default_factory=list)
    reached: set[int] = field(default_factory=set)
    everyone: set[int] = field(default_factory=set)
    came_of: dict[int, int] = field(default_factory=dict)
    """Per person (number), how many things came true."""
    _ways: dict[tuple[int, int], tuple[int, int, set[int]]] = field(default_factory=dict)

    def add(self, world: World, week: Week, scores: Scores, most: int) -> None:
        """Take in a week: the ``most`` best of each person would have been shown."""
        chosen = _best(week, scores, most)
        came = chosen & week.positive
        rows, columns = np.nonzero(came)
        self.leads += ((week.found[rows, columns] - week.at[columns]) / HOUR).tolist()
        self.everyone.update(week.people.tolist())
        self.reached.update(week.people[chosen.any(axis=1)].tolist())
        for person in week.people[rows].tolist():
            self.came_of[person] = self.came_of.get(person, 0) + 1
        self.weeks.append(_sum(week, chosen, came))
        self._add_ways(world, week, chosen, came)

    def _add_ways(self, world: World, week: Week, chosen: Flags, came: Flags) -> None:
        homes = _homes(world, week)
        for row, column in np.argwhere(chosen):
            way = int(homes[row]), int(week.containers[column])
            shown, true, people = self._ways.get(way, (0, 0, set()))
            people.add(int(week.people[row]))
            self._ways[way] = shown + 1, true + int(came[row, column]), people

    def total(self) -> Sum:
        """Return the sums of all weeks; people are counted once."""
        return Sum(
            week="all",
            shown=sum(one.shown for one in self.weeks),
            came=sum(one.came for one in self.weeks),
            summoned=sum(one.summoned for one in self.weeks),
            people=len(self.reached),
            possible=sum(one.possible for one in self.weeks),
            by_chance=sum(one.by_chance for one in self.weeks),
        )

    def lead(self) -> dict[str, int]:
        """Return how many came true by the time between coming up and coming."""
        hours, counts, low = np.array(self.leads), {}, 0.0
        for name, high in LEADS.items():
            counts[name] = int(((hours >= low) & (hours < high)).sum())
            low = high
        return counts

    def ways(self, world: World) -> list[Way]:
        """Return the ways on which most came true, of those that concern at least five people."""
        found = [
            Way(world.label(world.containers[a]), world.label(world.containers[b]), shown, came, len(people))
            for (a, b), (shown, came, people) in self._ways.items()
            if len(people) >= FEWEST_PEOPLE and came
        ]
        return sorted(found, key=lambda way: (-way.came, way.source, way.target))[:_MOST_WAYS]


def shown(world: World, weeks: Sequence[Week], answers: Mapping[int, Scores], most: int) -> Shown:
    """Return what would have been shown over all weeks, at ``most`` things a person and week."""
    found = Shown()
    for week in weeks:
        found.add(world, week, answers[week.start], most)
    return found


def _best(week: Week, scores: Scores, most: int) -> Flags:
    order = ordered(scores, week.candidates, tie_breaks(week, week.people, week.objects))[:, :most]
    chosen = np.zeros(week.candidates.shape, dtype=bool)
    np.put_along_axis(chosen, order, np.take_along_axis(week.candidates, order, axis=1), axis=1)
    return chosen


def _sum(week: Week, chosen: Flags, came: Flags) -> Sum:
    candidates = np.maximum(week.candidates.sum(axis=1), 1)
    chance = (chosen.sum(axis=1) * week.positive.sum(axis=1) / candidates).sum()
    return Sum(
        week=said(week.start),
        shown=int(chosen.sum()),
        came=int(came.sum()),
        summoned=int((came & week.summoned).sum()),
        people=int(chosen.any(axis=1).sum()),
        possible=int(week.positive.sum()),
        by_chance=float(chance),
    )


def _homes(world: World, week: Week) -> NDArray[np.int64]:
    """Return the container in which each person acts most over H."""
    engaged = world.engaged
    history = engaged.between(week.start - HISTORY, week.start)
    row = np.full(len(world.people), -1)
    row[week.people] = np.arange(len(week.people))
    kept = row[engaged.person[history]]
    counts = np.zeros((len(week.people), len(world.containers)), dtype=np.int64)
    np.add.at(counts, (kept[kept >= 0], engaged.container[history][kept >= 0]), 1)
    return np.asarray(counts.argmax(axis=1))
