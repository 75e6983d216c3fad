"""The inputs of the model for one object and many people, from the state alone. Pure.

Each input is a share, a cosine, a lift or a logarithm, so that it means the same in a community of another size.
"""

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance import follows as kinds
from services.enrich.scoring.relevance.decay import DAY, weight
from services.enrich.scoring.relevance.follows import Follows
from services.enrich.scoring.relevance.likeness import Likeness
from services.enrich.scoring.relevance.names import FOLLOWED, NAMES, OBJECT, PAIR, PERSON
from services.enrich.scoring.relevance.people import NOBODY
from services.enrich.scoring.relevance.persons import Persons
from services.enrich.scoring.relevance.places import Places, crowd, lifts_of
from services.enrich.scoring.relevance.reach import FADES
from services.enrich.scoring.relevance.rows import Key, Row, Rows
from services.enrich.scoring.relevance.state import PLACES, TIES, State
from services.enrich.scoring.relevance.trigger import CONVERSATION, Trigger

Ints = NDArray[np.int64]
Values = NDArray[np.float64]

_NEAREST = 50
_SPEAKERS = 2_000
_NOW = 21 * DAY
_MOST_PARTICIPANTS = 20
_MOST_ALIKE = 10
_LONG = 10
"""Entries of a row for each person asked about from which on it is asked for each person instead of spread."""
_SOME = 3.0
"""Prior counts: what is assumed of somebody who has begun nothing yet."""
_PRIOR = 0.3
"""Likeness (squared cosines) below which two people are assumed to come to such things."""


class Inputs:
    """Computes inputs; holds scratch space, so one at a time."""

    def __init__(self, state: State, follows: Follows, likeness: Likeness) -> None:
        self._state = state
        self._follows = follows
        self._places = Places(state)
        self._likeness = likeness
        self._scratch = np.zeros(1)

    def look_around(self, trigger: Trigger) -> None:
        """Find out about the surroundings of a trigger's place, and what is unusual about a text, if that is due."""
        self._places.place(trigger.container)
        self._state.meaning.whitening()

    def table(self, trigger: Trigger, people: Persons) -> Values:
        """Return the inputs, shape (n, len(NAMES))."""
        slots = people.slots
        found = np.zeros((len(slots), len(NAMES)))
        pair = (
            *self._work(trigger, people),
            *self._words(trigger, people),
            *self._author(trigger, people),
            *self._crowds(trigger, slots),
            *self._places_of(trigger, people),
            *self._reached(trigger, people),
        )
        for column, values in enumerate(pair):
            found[:, column] = values
        begin = len(PAIR)
        found[:, begin : begin + len(OBJECT)] = self._object(trigger)
        begin += len(OBJECT)
        found[:, begin : begin + len(PERSON)] = people.inputs
        found[:, begin + len(PERSON) :] = self._followed(trigger, slots)
        return found

    # --- what was done and said before

    def _work(self, trigger: Trigger, people: Persons) -> tuple[Values, ...]:
        """Return experts of similar objects: all, newer ones more, of the last weeks, and who was asked."""
        similar, slots = self._likeness.of(trigger).similar, people.slots
        squares, ages = similar.cosines**2, self._state.clock - similar.last
        fading = squares * np.exp2(-np.maximum(ages, 0.0) / (FADES * DAY))
        nearest = np.where(np.arange(len(squares)) < _NEAREST, squares, 0.0)
        lately = np.where(ages < _NOW, squares, 0.0)
        every, fades, now = (np.repeat(values, similar.sizes) for values in (nearest, fading, lately))
        return (
            np.sqrt(self._sum(similar.people, every * similar.levels, slots) / people.taken),
            np.sqrt(self._sum(similar.people, fades * similar.levels, slots) / people.taken),
            np.sqrt(self._sum(similar.people, now, slots)),
            np.sqrt(self._sum(similar.named, np.repeat(fading, similar.names), slots) / people.asked),
        )

    def _words(self, trigger: Trigger, people: Persons) -> tuple[Values, ...]:
        vectors, slots, mean = self._state.people.vectors, people.slots, self._state.meaning.mean()
        shifted = trigger.vector - mean if trigger.vector.any() else np.zeros_like(mean)
        whitened = shifted @ self._state.meaning.whitening()
        length = float(np.linalg.norm(shifted)) or 1.0
        across = float(np.sqrt(max(float(whitened @ shifted), 0.0))) or 1.0
        against = np.stack([shifted, whitened], axis=1)
        common = mean.astype(np.float64) @ against.astype(np.float64)
        own = vectors["words"].sums[slots] @ against - people.own_weights[:, None] * common
        late = vectors["recent"].sums[slots] @ shifted - people.late_weights * common[0]
        took = vectors["objects"].sums[slots] @ whitened - people.object_weights * common[1]
        of_objects = took * people.object_factors
        return (
            own[:, 0] / people.own_lengths / length,
            own[:, 1] / people.own_lengths / across,
            late / people.late_lengths / length,
            np.sign(of_objects) * np.sqrt(np.abs(of_objects)),
            self._terms(trigger, slots),
        )

    def _terms(self, trigger: Trigger, slots: Ints) -> Values:
        whom, cosines = self._likeness.of(trigger).speaking
        if len(whom) > _SPEAKERS:
            most = np.argpartition(-cosines, _SPEAKERS)[:_SPEAKERS]
            whom, cosines = whom[most], cosines[most]
        return self._spread((whom, cosines), slots)

    # --- who began it, who else is there

    def _author(self, trigger: Trigger, people: Persons) -> tuple[Values, ...]:
        state, now, slots = self._state, self._state.clock, people.slots
        author = self._author_slot(trigger)
        columns, lifts = lifts_of(state, author)
        shared = state.ties.row(author)[1] / weight(now, TIES)
        joined = self._decayed(state.joined, author, slots)
        began = state.people.one_at("started", author, now)
        everyone = state.people.total_at("joined", now) + 1.0
        usual = (began + 2.0) * (people.joined + 5.0) * 3.0
        return (
            self._spread((columns, lifts), slots),
            np.log1p(self._spread((columns, shared), slots)),
            joined / (began + 2.0),
            np.log1p(joined * everyone / usual),
            np.log1p(self._decayed(state.joins, author, slots)),
            np.log1p(self._decayed(state.mentions, author, slots)),
            np.log1p(self._decayed(state.mentioned_by, author, slots)),
        )

    def _decayed(self, rows: Rows[int], author: int, slots: Ints) -> Values:
        return self._entries(rows, author, slots) / weight(self._state.clock, TIES)

    def _crowds(self, trigger: Trigger, slots: Ints) -> tuple[Values, ...]:
        mentioned = np.zeros(len(slots))
        for person in trigger.mentioned:
            tied = lifts_of(self._state, self._state.people.find(person))
            mentioned = np.maximum(mentioned, self._spread(tied, slots))
        past = self._state.objects.get(trigger.object)
        there = list(past.people)[-_MOST_PARTICIPANTS:] if past else []
        participants = np.zeros(len(slots))
        for slot in there:
            participants += self._spread(lifts_of(self._state, slot), slots)
        return mentioned, crowd(self._places.place(trigger.container), slots), participants / max(len(there), 1)

    # --- where it is

    def _places_of(self, trigger: Trigger, people: Persons) -> tuple[Values, ...]:
        state, now, slots, container = self._state, self._state.clock, people.slots, trigger.container
        here = self._entries(state.here, container, slots)
        ages = now - self._entries(state.seen_here, container, slots)
        ever = self._entries(state.ever, container, slots)
        alike, lift = self._places.alike(self._places.place(container), slots)
        lately, share, wandered = ((state.around, 20.0), (state.around_ever, 180.0), (state.wandered_around, 60.0))
        newcomer = bool(state.people.actions[self._author_slot(trigger)] < 5)
        return (
            here,
            np.exp2(-np.maximum(ages, 0.0) / (30.0 * DAY)) * (here > 0),
            np.log1p(np.maximum(ever - here, 0.0)),
            alike,
            lift,
            people.kinds[:, trigger.kind],
            *(
                np.log1p(self._entries(rows, trigger.around, slots) / weight(now, half_life))
                for rows, half_life in (lately, share, wandered)
            ),
            people.helped if newcomer else np.zeros(len(slots)),
        )

    # --- what is changed together with it, asked, talked of elsewhere

    def _reached(self, trigger: Trigger, people: Persons) -> tuple[Values, ...]:
        state, slots, reach = self._state, people.slots, self._likeness.of(trigger).reach
        scale, near = weight(state.clock, PLACES), np.zeros(len(slots))
        for place, share in reach.risen.places:
            near += share * np.log1p(self._entries(state.regulars, place, slots) / scale)
        return (
            np.sqrt(self._sum(*reach.together, slots) / people.taken),
            np.sqrt(self._sum(*reach.answered, slots) / np.sqrt(people.joined + 1.0)),
            people.answers if trigger.question else np.zeros(len(slots)),
            near,
        )

    # --- the object's own

    def _author_slot(self, trigger: Trigger) -> int:
        return self._state.people.find(trigger.people[0]) if trigger.people else NOBODY

    def _object(self, trigger: Trigger) -> list[float]:
        state, now = self._state, self._state.clock
        past, author = state.objects.get(trigger.object), self._author_slot(trigger)
        scale = weight(now, TIES)
        begun, entered, afar = (
            sums.get(trigger.container, 0.0) / scale for sums in (state.begun, state.entered, state.entered_from_afar)
        )
        people = state.people
        began = people.total_at("started", now) + 1.0
        draws, crowd = (
            np.log(
                (people.one_at(name, author, now) + _SOME * people.total_at(name, now) / began + 1e-3)
                / (people.one_at("started", author, now) + _SOME)
            )
            for name in ("gathered_from_afar", "gathered")
        )
        return [
            np.log((afar + 0.5) / (begun + 3.0)),
            np.log((entered + 1.0) / (begun + 1.0)),
            np.log((state.here.size(trigger.container) + 1.0) / (people.active + 10.0)),
            draws,
            crowd,
            np.log1p(people.one_at("objects", author, now)),
            float(people.actions[author] < 5),
            np.log1p(trigger.length),
            float(trigger.question),
            float(trigger.code),
            float(min(len(trigger.mentioned), 5)),
            float(min(trigger.links, 3)),
            float(trigger.kind == CONVERSATION),
            np.log1p(len(past.people) if past else 0),
            float(past is not None),
            *self._around(trigger, begun),
        ]

    def _around(self, trigger: Trigger, begun: float) -> tuple[float, ...]:
        """Return how much there is like it already, and with how many people; how busy its place is; if it rises."""
        like = self._likeness.of(trigger)
        similar, most = like.similar, like.similar.cosines[:_MOST_ALIKE]
        fading = similar.cosines**2 * np.exp2(-np.maximum(self._state.clock - similar.last, 0.0) / (FADES * DAY))
        crowds = float(fading @ np.log1p(similar.sizes)) + _PRIOR * np.log(3.0)
        return (
            float(most.mean()) if len(most) else 0.0,
            crowds / (float(fading.sum()) + _PRIOR),
            np.log1p(begun),
            like.reach.risen.much,
        )

    def _followed(self, trigger: Trigger, slots: Ints) -> Values:
        state, found = self._state, np.zeros((len(slots), len(FOLLOWED)))
        refs = (
            (kinds.PERSON, trigger.people),
            (kinds.CONTAINER, trigger.tags[:2]),
            (kinds.TAG, (*(tag.lower() for tag in trigger.tags[2:]), *trigger.text.terms)),
        )
        for column, (kind, names) in enumerate(refs):
            if followers := self._follows.of(kind, names):
                known = state.people.slots(followers)
                found[:, column] = np.isin(slots, known[known != NOBODY])
        return found

    # --- sparse to dense

    def _room(self) -> Values:
        size = len(self._state.people.ids)
        if len(self._scratch) < size:
            self._scratch = np.zeros(2 * size)
        return self._scratch

    def _entries(self, rows: Rows[Key], key: Key, slots: Ints) -> Values:
        """Return a row's values at these slots, by the cheaper way."""
        if rows.size(key) > _LONG * len(slots):
            return rows.at(key, slots)
        return self._spread(rows.row(key), slots)

    def _spread(self, row: Row, slots: Ints) -> Values:
        """Return a sparse row's values at these slots."""
        columns, values = row
        scratch = self._room()
        scratch[columns] = values
        scratch[NOBODY] = 0.0
        found = scratch[slots]
        scratch[columns] = 0.0
        return found

    def _sum(self, columns: Ints, values: Values, slots: Ints) -> Values:
        """Return the sums of values by column at these slots."""
        scratch = self._room()
        np.add.at(scratch, columns, values)
        scratch[NOBODY] = 0.0
        found = scratch[slots]
        scratch[columns] = 0.0
        return found
