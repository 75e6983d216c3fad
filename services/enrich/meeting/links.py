"""Who is likely to meet: a small logistic model over named inputs of a pair. Pure; the judge replays the same code.

Of all that was tried (docs/adr has it with numbers) three things say who will meet: common acquaintances and common
places, each by what was lately (half-life 30 days) and by what was in the last months (120 days), and how long either
has been away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.common.model import Enriched
from services.enrich.meeting.attendance import Attendance
from services.enrich.meeting.graph import Floats, Graph, Ints, Sparse, graphs, walks
from services.enrich.meeting.weights import Weights, shipped

HALF_LIVES = {"lately": 30.0, "in months": 120.0}
"""Days after which having taken part counts half."""
INPUTS = (*(f"{what} {when}" for when in HALF_LIVES for what in ("acquaintances", "places")), "away")
_LEAST = 1e-3
"""What stands for nothing at all inside of a logarithm."""
_LEAST_TIES, _LEAST_PLACE = 0.1, 0.5
_AT_ONCE = 128
_AWAY = 365.0


@dataclass(frozen=True, slots=True)
class _State:
    at: int
    version: int
    graphs: list[Graph]
    idle: Floats
    """Days since each person took part last."""


class Links:
    """``observe`` the activities in any order, then ask about pairs as of a moment. Not for two threads at once."""

    def __init__(self, weights: Weights | None = None, attendance: Attendance | None = None) -> None:
        self.weights = weights or shipped()
        self.attendance = attendance or Attendance()
        self._state: _State | None = None

    def observe(self, one: Enriched) -> None:
        """Take in an activity; the same one again changes nothing."""
        self.attendance.observe(one)

    def score(self, pairs: Sequence[tuple[str, str]], at: int) -> Floats:
        """Return per pair the log-odds of meeting soon, as of ``at`` (micros); the order within a pair is the same."""
        return self.weights.score(self.inputs(pairs, at))

    def terms(self, one: str, other: str, at: int) -> dict[str, float]:
        """Return by input what it adds to the score of a pair, against the average pair."""
        return dict(zip(INPUTS, self.weights.contributions(self.inputs([(one, other)], at))[0].tolist(), strict=True))

    def linked(self, one: str, other: str, at: int) -> bool:
        """Return whether two people shared an object of at most 30 people within a year before ``at``."""
        return other in self.neighbours(one, at)

    def neighbours(self, person: str, at: int) -> dict[str, float]:
        """Return with whom a person shared objects of at most 30 people within a year, and how strongly (months)."""
        number = self.attendance.people.get(person)
        if number < 0:
            return {}
        _, columns, weights = self._as_of(at).graphs[-1].ties.entries(np.array([number]))
        return {self.attendance.people.names[c]: float(w) for c, w in zip(columns, weights, strict=True)}

    def inputs(self, pairs: Sequence[tuple[str, str]], at: int) -> Floats:
        """Return the inputs, shape (pairs, 5), in the order of ``INPUTS``. An unknown person took part in nothing."""
        state = self._as_of(at)
        numbers = np.array([[self.attendance.people.get(p) for p in pair] for pair in pairs], dtype=np.int64)
        # The state has one more row than people: the one of whoever is not known.
        one, other = np.where(numbers < 0, len(state.idle) - 1, numbers).reshape(-1, 2).T
        columns = []
        for graph in state.graphs:
            columns.append(np.log(_LEAST + _by_pair(graph.ties, one, other, _LEAST_TIES)))
            columns.append(np.log(_LEAST + _by_pair(graph.places, one, other, _LEAST_PLACE)))
        away = np.log1p(state.idle)
        return np.stack([*columns, away[one] + away[other]], axis=1)

    def _as_of(self, at: int) -> _State:
        state = self._state
        if state is None or state.at != at or state.version != self.attendance.version:
            window, people = self.attendance.window(at), len(self.attendance.people) + 1
            idle = np.full(people, _AWAY)
            np.minimum.at(idle, window.people, window.days)
            made = graphs(window, people, len(self.attendance.containers) + 1, list(HALF_LIVES.values()))
            state = self._state = _State(at, self.attendance.version, made, idle)
        return state


def _by_pair(matrix: Sparse, one: Ints, other: Ints, floor: float) -> Floats:
    """Return the walks between the two of each pair, computed by blocks of people."""
    found = np.zeros(len(one))
    left, of_left = np.unique(one, return_inverse=True)
    for start in range(0, len(left), _AT_ONCE):
        chosen = np.flatnonzero((of_left >= start) & (of_left < start + _AT_ONCE))
        right, of_right = np.unique(other[chosen], return_inverse=True)
        block = walks(matrix, left[start : start + _AT_ONCE], right, floor)
        found[chosen] = block[of_left[chosen] - start, of_right]
    return found
