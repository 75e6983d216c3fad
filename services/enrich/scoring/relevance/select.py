"""Candidates for an object, from inverted indexes: what it costs does not grow with the number of people. Pure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance import follows as kinds
from services.enrich.scoring.relevance.decay import DAY
from services.enrich.scoring.relevance.features import Similar
from services.enrich.scoring.relevance.follows import Follows
from services.enrich.scoring.relevance.people import NOBODY
from services.enrich.scoring.relevance.places import lifts_of
from services.enrich.scoring.relevance.state import State
from services.enrich.scoring.relevance.trigger import Trigger

_EACH = 100
_WANDERERS = 60
_PLACE = 80
_PARTICIPANTS = 10
Row = tuple[NDArray[np.int64], NDArray[np.float64]]


class Selector:
    """Selects by the experts of similar objects, who was asked there, the author's and the participants' ties, who
    writes about the same, who has been in the place or around it, who follows, who often joins what is elsewhere."""

    def __init__(self, state: State, follows: Follows, similar: Callable[[Trigger], Similar]) -> None:
        self._state, self._follows, self._similar = state, follows, similar
        self._wanderers: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, dtype=np.int64))

    def select(self, trigger: Trigger, most: int) -> list[str]:
        """Return up to ``most`` people, the most promising first."""
        state, sums = self._state, dict[int, float]()
        for slot in self._follows_slots(trigger):
            sums[slot] = 10.0
        for columns, values in self._routes(trigger):
            _add(sums, columns, values)
        for slot in self._most_wandering().tolist():
            sums[slot] = sums.get(slot, 0.0) + 0.2
        past = state.objects.get(trigger.object)
        out = {NOBODY, *(state.people.find(person) for person in (*trigger.people, *trigger.mentioned))}
        if past is not None:
            out |= past.people.keys()
        best = sorted(
            (slot for slot in sums if slot not in out), key=lambda slot: (-sums[slot], state.people.ids[slot])
        )
        return [state.people.ids[slot] for slot in best[:most]]

    def _routes(self, trigger: Trigger) -> list[Row]:
        state, similar = self._state, self._similar(trigger)
        squares = similar.cosines**2
        experts: dict[int, float] = {}
        for one, square in zip(similar.objects, squares.tolist(), strict=True):
            for slot in (*one.people, *one.mentioned):
                experts[slot] = experts.get(slot, 0.0) + square
        author = state.people.find(trigger.people[0]) if trigger.people else NOBODY
        held, cosines = state.words.like(trigger.text, _EACH)
        speakers = np.array([state.speakers[slot] for slot in held.tolist()], dtype=np.int64)
        past = state.objects.get(trigger.object)
        there = list(past.people)[-_PARTICIPANTS:] if past else []
        return [
            _normal((np.fromiter(experts, np.int64), np.fromiter(experts.values(), np.float64)), 2 * _EACH, 2.0),
            _normal((speakers, cosines), _EACH, 1.5),
            _normal(lifts_of(state, author), _EACH, 1.0),
            _normal(state.joined.row(author), _EACH, 1.0),
            _normal(state.mentions.row(author), _EACH, 1.0),
            _normal(state.regulars.row(trigger.container), _PLACE, 0.5),
            _normal(state.wandered_around.row(trigger.around), _PLACE, 1.0),
            *(_normal(lifts_of(state, state.people.find(who)), _EACH, 0.5) for who in trigger.mentioned[:5]),
            *(_normal(lifts_of(state, slot), 20, 0.3) for slot in there),
        ]

    def look_around(self) -> None:
        """Find out who wanders most, if that is due."""
        self._most_wandering()

    def _most_wandering(self) -> NDArray[np.int64]:
        day = self._state.clock // DAY
        if self._wanderers[0] != day:
            sums = self._state.people.sums["wandered"]
            most = np.argsort(-sums, kind="stable")[:_WANDERERS]
            self._wanderers = day, most[sums[most] > 0]
        return self._wanderers[1]

    def _follows_slots(self, trigger: Trigger) -> set[int]:
        names = self._follows.of(kinds.PERSON, trigger.people)
        names |= self._follows.of(kinds.CONTAINER, trigger.tags[:2])
        names |= self._follows.of(kinds.TAG, (*(tag.lower() for tag in trigger.tags[2:]), *trigger.text.terms))
        return {self._state.people.find(name) for name in names}


def _normal(row: Row, most: int, worth: float) -> Row:
    """Return the largest entries of a row, the largest being ``worth``."""
    columns, values = row
    if not len(values):
        return row
    if len(values) > most:
        kept = np.argpartition(-values, most)[:most]
        columns, values = columns[kept], values[kept]
    largest = float(values.max())
    return columns, values * (worth / largest) if largest > 0 else np.zeros(len(values))


def _add(sums: dict[int, float], columns: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    for slot, value in zip(columns.tolist(), values.tolist(), strict=True):
        sums[slot] = sums.get(slot, 0.0) + value
