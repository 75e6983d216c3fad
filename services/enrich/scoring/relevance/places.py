"""Which places are alike, by the people in them, and who is tied to a place's people. Pure.

Computed for a place when it is asked about, from its most active people, and kept for a week of the state's clock.
"""

from collections import OrderedDict, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.decay import DAY, weight
from services.enrich.scoring.relevance.state import PLACES, TIES, State

_FRESH = 7 * DAY
_TO_COME = 256
_MOST_PEOPLE = 300
_MOST_REGULARS = 50
_MOST_PLACES = 200
_LEAST_LIFT, _MOST_LIFT, _NO_LIFT = -3.0, 3.0, -1.0
_KEPT = 8_000_000
"""Numbers held, over all places."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """By slot of people: how alike their places are to this one, by shares and by lift; ties to its people."""

    week: int
    alike: NDArray[np.float32]
    lift: NDArray[np.float32]
    crowd: NDArray[np.float32]


class Places:
    """Places by id."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._lengths: dict[str, tuple[int, float]] = {}
        self._levels_of: tuple[int, Values] = (-1, np.zeros(0))

    def place(self, container: str) -> Place:
        """Return what is known of a place's surroundings, as of this week's first question about it."""
        week = self._state.clock // _FRESH
        found = self._places.get(container)
        if found is None or found.week != week or len(found.crowd) < len(self._state.people.ids):
            self._places.pop(container, None)  # a stale one has its old place in the order, and would be put out itself
            found = self._places[container] = self._compute(container, week)
            if len(self._places) * 3 * len(found.crowd) > _KEPT and len(self._places) > 1:
                self._places.popitem(last=False)
        self._places.move_to_end(container)
        return found

    def _compute(self, container: str, week: int) -> Place:
        # Room for people to come, who have no surroundings before the next week.
        size = len(self._state.people.actions) + _TO_COME
        alike, lift = self._alike(container, week, size)
        return Place(week, alike, lift, self._crowd(container, size))

    def _neighbours(self, container: str) -> tuple[dict[str, float], dict[str, int]]:
        """Return the products of this place's people with those of other places, and how many they share."""
        columns, values = self._state.here.row(container)
        most = np.argsort(-values, kind="stable")[:_MOST_PEOPLE]
        products: dict[str, float] = defaultdict(float)
        shared: dict[str, int] = defaultdict(int)
        for slot, level in zip(columns[most].tolist(), np.log1p(values[most]).tolist(), strict=True):
            for other, count in self._state.homes.get(slot, {}).items():
                if other != container:
                    products[other] += level * float(np.log1p(count))
                    shared[other] += 1
        return products, shared

    def _length(self, container: str, week: int) -> float:
        found = self._lengths.get(container)
        if found is None or found[0] != week:
            _, values = self._state.here.row(container)
            found = self._lengths[container] = week, float(np.linalg.norm(np.log1p(values))) or 1.0
        return found[1]

    def _alike(self, container: str, week: int, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        state = self._state
        products, shared = self._neighbours(container)
        cosines = np.zeros(size)
        lifts, shares = np.zeros(size), np.zeros(size)
        everyone, here = state.people.active, state.here.size(container)
        most = sorted(shared, key=lambda other: (-shared[other], other))[:_MOST_PLACES]
        for other in most:
            columns, values = state.here.row(other)
            cosines[columns] += np.log1p(values) * products[other] / self._length(other, week)
            expected = (here + 1) * (len(columns) + 1)
            more = np.log((shared[other] + 0.5) * everyone / expected)
            columns, values = state.regulars.row(other)
            lifts[columns] += values * (float(np.clip(more, _LEAST_LIFT, _MOST_LIFT)) - _NO_LIFT)
        total = np.zeros(size)
        total[: len(state.people.kinds)] = state.people.kinds.sum(axis=1)
        np.divide(lifts, total, out=shares, where=total > 0)
        places = self._levels(size)
        alike = cosines / self._length(container, week) / (places + 1.0)
        return alike.astype(np.float32), (shares + _NO_LIFT * (total > 0)).astype(np.float32)

    def _levels(self, size: int) -> Values:
        """Return per person the sum of the levels of their places."""
        week = self._state.clock // _FRESH
        if self._levels_of[0] != week or len(self._levels_of[1]) < size:
            sums = np.zeros(size)
            for slot, homes in self._state.homes.items():
                if homes:
                    sums[slot] = np.log1p(np.fromiter(homes.values(), np.float64, len(homes))).sum()
            self._levels_of = week, sums
        return self._levels_of[1][:size]

    def _crowd(self, container: str, size: int) -> NDArray[np.float32]:
        """Return people's mean tie to the regulars, weighed by how much these are there."""
        columns, values = self._state.regulars.row(container)
        levels = np.log1p(values / weight(self._state.clock, PLACES))
        most = np.argsort(-levels, kind="stable")[:_MOST_REGULARS]
        sums = np.zeros(size)
        for slot, level in zip(columns[most].tolist(), levels[most].tolist(), strict=True):
            tied, lifts = lifts_of(self._state, slot)
            sums[tied] += level * lifts
        mean: NDArray[np.float32] = (sums / (levels[most].sum() + 1e-6)).astype(np.float32)
        return mean


def lifts_of(state: State, slot: int) -> tuple[NDArray[np.int64], Values]:
    """Return whom a person is tied to and log(1 + lift) of each tie.

    The lift is what they share over what two people as active as they would share by chance, smoothed so that a single
    shared object of two rare people does not outweigh everything.
    """
    columns, values = state.ties.row(slot)
    now = weight(state.clock, TIES)
    shared = values / now
    total = state.people.total_at("ties", state.clock) + 1.0
    own = state.people.one_at("ties", slot, state.clock) + 0.5
    theirs = state.people.at("ties", columns, state.clock) + 0.5
    return columns, np.log1p(shared * total / (20.0 * own * theirs + 0.02 * total))
