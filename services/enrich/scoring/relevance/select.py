"""Candidates for an object, from inverted indexes: what it costs does not grow with the number of people. Pure."""

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance import follows as kinds
from services.enrich.scoring.relevance.decay import DAY
from services.enrich.scoring.relevance.follows import Follows
from services.enrich.scoring.relevance.likeness import Likeness
from services.enrich.scoring.relevance.people import NOBODY
from services.enrich.scoring.relevance.places import lifts_of
from services.enrich.scoring.relevance.state import State
from services.enrich.scoring.relevance.trigger import Trigger

_EACH = 100
_WANDERERS = 60
_PLACE = 80
_PARTICIPANTS = 10
_RISING = 30
_LEAST_ALIKE = 0.03
Row = tuple[NDArray[np.int64], NDArray[np.float64]]


class Selector:
    """Selects by the experts of similar objects, who was asked there, the author's and the participants' ties, who
    writes about the same, who changed what is changed together with it, who took part in such questions, who is where
    its terms rise, who has been in the place or around it, who follows, who often joins what is elsewhere."""

    def __init__(self, state: State, follows: Follows, likeness: Likeness) -> None:
        self._state, self._follows, self._likeness = state, follows, likeness
        self._wanderers: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, dtype=np.int64))

    def select(self, trigger: Trigger, most: int) -> list[str]:
        """Return up to ``most`` people, the most promising first."""
        state = self._state
        wanderers, followers = self._most_wandering(), self._follows_slots(trigger)
        routes = [
            (followers, np.full(len(followers), 10.0)),
            *self._routes(trigger),
            (wanderers, np.full(len(wanderers), 0.2)),
        ]
        columns, values = (np.concatenate(parts) for parts in zip(*routes, strict=True))
        slots, where = np.unique(columns, return_inverse=True)
        sums = np.bincount(where, values, minlength=len(slots))
        allowed = ~np.isin(slots, self._out(trigger))
        slots, sums = slots[allowed], sums[allowed]
        if len(slots) > most:  # as promising as the last are all kept, so that names decide between them
            kept = sums >= np.partition(sums, -most)[-most]
            slots, sums = slots[kept], sums[kept]
        ids = state.people.ids
        best = sorted(zip((-sums).tolist(), map(ids.__getitem__, slots.tolist()), strict=True))
        return [person for _, person in best[:most]]

    def _out(self, trigger: Trigger) -> list[int]:
        """Return who is no candidate: who began it, is mentioned or took part."""
        state, past = self._state, self._state.objects.get(trigger.object)
        out = [NOBODY, *map(state.people.find, (*trigger.people, *trigger.mentioned))]
        return [*out, *past.people] if past is not None else out

    def _routes(self, trigger: Trigger) -> list[Row]:
        state, like = self._state, self._likeness.of(trigger)
        similar = like.similar
        squares = similar.cosines**2
        author = state.people.find(trigger.people[0]) if trigger.people else NOBODY
        past = state.objects.get(trigger.object)
        there = list(past.people)[-_PARTICIPANTS:] if past else []
        experts = np.concatenate([similar.people, similar.named])
        worth = np.concatenate([np.repeat(squares, similar.sizes), np.repeat(squares, similar.names)])
        speakers, cosines = like.speaking
        near = cosines >= _LEAST_ALIKE
        return [
            _normal(_summed(experts, worth), 2 * _EACH, 2.0),
            _normal((speakers[near], cosines[near]), _EACH, 1.5),
            _normal(lifts_of(state, author), _EACH, 1.0),
            _normal(state.joined.row(author), _EACH, 1.0),
            _normal(state.mentions.row(author), _EACH, 1.0),
            _normal(state.regulars.row(trigger.container), _PLACE, 0.5),
            _normal(state.wandered_around.row(trigger.around), _PLACE, 1.0),
            _normal(_summed(*like.reach.together), _EACH, 1.5),
            _normal(_summed(*like.reach.answered), _EACH, 1.0),
            *(_normal(state.regulars.row(place), _RISING, 0.3) for place, _ in like.reach.risen.places[:2]),
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

    def _follows_slots(self, trigger: Trigger) -> NDArray[np.int64]:
        names = self._follows.of(kinds.PERSON, trigger.people)
        names |= self._follows.of(kinds.CONTAINER, trigger.tags[:2])
        names |= self._follows.of(kinds.TAG, (*(tag.lower() for tag in trigger.tags[2:]), *trigger.text.terms))
        return self._state.people.slots(names)


def _summed(columns: NDArray[np.int64], values: NDArray[np.float64]) -> Row:
    slots, where = np.unique(columns, return_inverse=True)
    sums: NDArray[np.float64] = np.bincount(where, values, minlength=len(slots)).astype(np.float64)
    return slots, sums


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
