"""Which places are alike, by the people in them, and who is tied to a place's people. Pure.

Once a week of the state's clock, or when much was added since, it is noted who is where. What is asked about a place is
answered from there, for the people asked about: it costs what these have places, whatever number of people there is.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.decay import DAY, weight
from services.enrich.scoring.relevance.noted import Noted
from services.enrich.scoring.relevance.state import PLACES, TIES, State

_FRESH = 7 * DAY
_GROWN, _FEW = 1.5, 200
"""Activities, as a multiple of those before the last noting and at least, after which it is noted within the week."""
_MOST_PEOPLE = 300
_MOST_REGULARS = 50
_MOST_PLACES = 200
_KEPT = 2_000
"""Places whose surroundings are remembered, each some 10 KB."""
_LEAST_LIFT, _MOST_LIFT, _NO_LIFT = -3.0, 3.0, -1.0

Values = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """A place's surroundings: places ``near``, by number, how alike they are and the lift of being in both; who is
    ``tied`` to its people, in ascending order, and how much."""

    near: Ints
    alike: Values
    lift: Values
    tied: Ints
    crowd: Values


class Places:
    """Places by id."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._week, self._due = -1, 0.0
        self._places: OrderedDict[str, Place] = OrderedDict()

    def place(self, container: str) -> Place:
        """Return what is known of a place's surroundings, as of the first question about it since it was noted."""
        if self._week != self._state.clock // _FRESH or self._state.taken > self._due:
            self._note()
        found = self._places.get(container)
        if found is None:
            found = self._places[container] = self._compute(container)
            if len(self._places) > _KEPT:
                self._places.popitem(last=False)
        return found

    def _note(self) -> None:
        state = self._state
        self._week, self._due = state.clock // _FRESH, _GROWN * state.taken + _FEW
        self._places.clear()
        # In the order of their names, which decides between places that are as much alike.
        self._numbers = {key: number for number, key in enumerate(sorted({*state.here, *state.regulars}))}
        people = len(state.people.ids)
        self._here = Noted(state.here, self._numbers, people)
        self._regulars = Noted(state.regulars, self._numbers, people)
        places, self._levels = len(self._numbers), np.log1p(self._here.values)
        self._sizes = np.bincount(self._here.places, minlength=places)
        lengths = np.sqrt(np.bincount(self._here.places, self._levels**2, minlength=places))
        self._lengths = np.where(lengths > 0, lengths, 1.0)
        self._level_of = np.bincount(self._here.people, self._levels, minlength=people)
        self._total_of = state.people.kinds[:people].sum(axis=1)
        self._active = state.people.active

    def _compute(self, container: str) -> Place:
        number = self._numbers.get(container, -1)
        products, shared = self._neighbours(number)
        near = np.lexsort((np.arange(len(shared)), -shared))[:_MOST_PLACES]
        near = near[shared[near] > 0]
        size, length = (self._sizes[number], self._lengths[number]) if number >= 0 else (0, 1.0)
        more = np.log((shared[near] + 0.5) * self._active / ((size + 1.0) * (self._sizes[near] + 1.0)))
        lift = np.clip(more, _LEAST_LIFT, _MOST_LIFT) - _NO_LIFT
        return Place(near, products[near] / self._lengths[near] / length, lift, *self._crowd(container))

    def _neighbours(self, number: int) -> tuple[Values, Ints]:
        """Return by place the products of this one's people with it, and how many they share."""
        places = len(self._numbers)
        people, counts = self._here.row(number) if number >= 0 else (np.zeros(0, dtype=np.int64), np.zeros(0))
        most = np.lexsort((people, -counts))[:_MOST_PEOPLE]
        entries, owners = self._here.of(people[most])
        levels = self._levels[entries] * np.log1p(counts[most])[owners]
        products: Values = np.bincount(self._here.places[entries], levels, minlength=places).astype(np.float64)
        shared: Ints = np.bincount(self._here.places[entries], minlength=places)
        if number >= 0:
            products[number] = shared[number] = 0
        return products, shared

    def _crowd(self, container: str) -> tuple[Ints, Values]:
        """Return people's mean tie to the regulars, weighed by how much these are there."""
        state = self._state
        columns, values = state.regulars.row(container)
        levels = np.log1p(values / weight(state.clock, PLACES))
        most = np.argsort(-levels, kind="stable")[:_MOST_REGULARS]
        tied, lifts, owners = lifts_of_all(state, columns[most])
        people, where = np.unique(tied, return_inverse=True)
        sums = np.bincount(where, lifts * levels[most][owners], minlength=len(people))
        return people, sums / (levels[most].sum() + 1e-6)

    def alike(self, place: Place, people: Ints) -> tuple[Values, Values]:
        """Return how alike people's places are to this one, by shares and by lift."""
        entries, owners = self._here.of(people)
        near = np.zeros(len(self._numbers))
        near[place.near] = place.alike
        products = self._levels[entries] * near[self._here.places[entries]]
        known = np.minimum(people, len(self._level_of) - 1)
        alike = np.bincount(owners, products, minlength=len(people)) / (self._level_of[known] + 1.0)
        entries, owners = self._regulars.of(people)
        near[place.near] = place.lift
        lifts = self._regulars.values[entries] * near[self._regulars.places[entries]]
        total = np.where(people == known, self._total_of[known], 0.0)
        there = total > 0
        sums = np.bincount(owners, lifts, minlength=len(people))
        return alike, np.divide(sums, total, out=np.zeros(len(people)), where=there) + _NO_LIFT * there


def crowd(place: Place, people: Ints) -> Values:
    """Return people's ties to a place's people."""
    if not len(place.tied):
        return np.zeros(len(people))
    at = np.minimum(np.searchsorted(place.tied, people), len(place.tied) - 1)
    return np.where(place.tied[at] == people, place.crowd[at], 0.0)


def lifts_of(state: State, slot: int) -> tuple[Ints, Values]:
    """Return whom a person is tied to and log(1 + lift) of each tie, as of ``lifts_of_all``."""
    return lifts_of_all(state, np.array([slot]))[:2]


def lifts_of_all(state: State, slots: Ints) -> tuple[Ints, Values, Ints]:
    """Return whom people are tied to, log(1 + lift) of each tie, and to the how manieth of them each belongs.

    The lift is what two share over what two people as active as they would share by chance, smoothed so that a single
    shared object of two rare people does not outweigh everything.
    """
    rows = [state.ties.row(slot) for slot in slots.tolist()]
    columns = np.concatenate([row[0] for row in rows]) if rows else np.zeros(0, dtype=np.int64)
    values = np.concatenate([row[1] for row in rows]) if rows else np.zeros(0)
    owners = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])
    shared = values / weight(state.clock, TIES)
    total = state.people.total_at("ties", state.clock) + 1.0
    own = state.people.at("ties", slots, state.clock)[owners] + 0.5
    theirs = state.people.at("ties", columns, state.clock) + 0.5
    return columns, np.log1p(shared * total / (20.0 * own * theirs + 0.02 * total)), owners
