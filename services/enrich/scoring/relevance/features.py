"""The inputs of the model for one object and many people, from the state alone. Pure.

Each input is a share, a cosine, a lift or a logarithm, so that it means the same in a community of another size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance import follows as kinds
from services.enrich.scoring.relevance.decay import DAY, weight
from services.enrich.scoring.relevance.follows import Follows
from services.enrich.scoring.relevance.names import FOLLOWED, NAMES, OBJECT, PAIR, PERSON
from services.enrich.scoring.relevance.objects import Past
from services.enrich.scoring.relevance.people import NOBODY
from services.enrich.scoring.relevance.places import Places, crowd, lifts_of
from services.enrich.scoring.relevance.rows import Row, Rows
from services.enrich.scoring.relevance.state import TIES, YEAR, State
from services.enrich.scoring.relevance.trigger import CONVERSATION, Trigger

Ints = NDArray[np.int64]
Values = NDArray[np.float64]

_SIMILAR = 200
_NEAREST = 50
_SPEAKERS = 2_000
_NOW = 21 * DAY
_FADES = 120.0
_MOST_PARTICIPANTS = 20
_SOME = 3.0
"""Prior counts: what is assumed of somebody who has begun nothing yet."""


@dataclass(frozen=True, slots=True)
class Similar:
    """Past objects like a trigger, the most alike first, with their cosines."""

    objects: Sequence[Past]
    cosines: Values


class Inputs:
    """Computes inputs; holds scratch space, so one at a time."""

    def __init__(self, state: State, follows: Follows) -> None:
        self._state = state
        self._follows = follows
        self._places = Places(state)
        self._scratch = np.zeros(1)
        self._found: dict[tuple[str, int], Similar] = {}
        self._found_at = -1

    def look_around(self, trigger: Trigger) -> None:
        """Find out about the surroundings of a trigger's place, if that is due."""
        self._places.place(trigger.container)

    def similar(self, trigger: Trigger) -> Similar:
        """Return the past objects most like a trigger, of the last year, without its own.

        Who selects, scores and explains asks this several times; it is answered once until the state changes.
        """
        if self._found_at != self._state.version:
            self._found, self._found_at = {}, self._state.version
        key = trigger.object, trigger.at
        if key not in self._found:
            self._found[key] = self._similar(trigger)
        return self._found[key]

    def _similar(self, trigger: Trigger) -> Similar:
        state = self._state
        slots, cosines = state.objects.index.like(trigger.text, _SIMILAR)
        found = [state.objects.of_text(slot) for slot in slots.tolist()]
        kept = [
            place for place, past in enumerate(found) if past.key != trigger.object and past.last > state.clock - YEAR
        ]
        return Similar([found[place] for place in kept], cosines[kept])

    def table(self, trigger: Trigger, slots: Ints, persons: Values, similar: Similar | None = None) -> Values:
        """Return the inputs, shape (n, len(NAMES)). ``persons`` are the rows of ``of_people`` for these slots."""
        found = np.zeros((len(slots), len(NAMES)))
        pair = (
            *self._work(trigger, slots, similar or self.similar(trigger)),
            *self._words(trigger, slots),
            *self._author(trigger, slots),
            *self._crowds(trigger, slots),
            *self._places_of(trigger, slots),
        )
        for column, values in enumerate(pair):
            found[:, column] = values
        begin = len(PAIR)
        found[:, begin : begin + len(OBJECT)] = self._object(trigger)
        begin += len(OBJECT)
        found[:, begin : begin + len(PERSON)] = persons
        found[:, begin + len(PERSON) :] = self._followed(trigger, slots)
        return found

    def of_people(self, slots: Ints) -> Values:
        """Return the inputs that are the person's alone, shape (n, len(PERSON))."""
        people, now = self._state.people, self._state.clock
        wandered, entered = people.at("wandered", slots, now), people.at("joined", slots, now)
        seen = np.exp2(-np.maximum(now - people.last[slots], 0) / (7.0 * DAY))
        return np.column_stack(
            [
                np.log(wandered + 0.3),
                (wandered + 1.0) / (entered + 10.0),
                np.log1p(people.at("month", slots, now)),
                np.log1p(people.at("week", slots, now)),
                np.log1p(people.containers[slots]),
                seen * (people.last[slots] > 0),
                np.log1p(people.at("summoned", slots, now)),
                np.log1p(people.at("objects", slots, now)),
            ]
        )

    # --- what was done and said before

    def _work(self, trigger: Trigger, slots: Ints, similar: Similar) -> tuple[Values, ...]:
        """Return experts of similar objects: all, newer ones more, of the last weeks, and who was asked."""
        people, now = self._state.people, self._state.clock
        objects, squares = similar.objects, similar.cosines**2
        taken = np.sqrt(people.at("objects", slots, now) + 1.0)
        asked = np.sqrt(people.at("summoned", slots, now) + 1.0)
        ages = now - np.array([past.last for past in objects], dtype=np.float64)
        fading = squares * np.exp2(-np.maximum(ages, 0.0) / (_FADES * DAY))
        sizes = [len(past.people) for past in objects]
        whom = self._columns([past.people for past in objects])
        levels = np.log1p(np.fromiter(chain.from_iterable(past.people.values() for past in objects), np.float64))
        nearest = np.where(np.arange(len(objects)) < _NEAREST, squares, 0.0)
        named = self._columns([past.mentioned for past in objects])
        summoned = np.repeat(fading, [len(past.mentioned) for past in objects])
        return (
            np.sqrt(self._sum(whom, np.repeat(nearest, sizes) * levels, slots) / taken),
            np.sqrt(self._sum(whom, np.repeat(fading, sizes) * levels, slots) / taken),
            np.sqrt(self._sum(whom, np.repeat(np.where(ages < _NOW, squares, 0.0), sizes), slots)),
            np.sqrt(self._sum(named, summoned, slots) / asked),
        )

    @staticmethod
    def _columns(people: "Sequence[dict[int, int] | dict[int, None]]") -> Ints:
        return np.fromiter(chain.from_iterable(people), np.int64)

    def _words(self, trigger: Trigger, slots: Ints) -> tuple[Values, ...]:
        state = self._state
        vectors, mean = state.people.vectors, state.meaning.mean()
        shifted = trigger.vector - mean if trigger.vector.any() else np.zeros_like(mean)
        whitened = shifted @ state.meaning.whitening()
        length = float(np.linalg.norm(shifted)) or 1.0
        across = float(np.sqrt(max(float(whitened @ shifted), 0.0))) or 1.0
        against = np.stack([shifted, whitened, mean], axis=1)
        own, own_length = self._unusual("words", slots, against)
        late, late_length = self._unusual("recent", slots, against)
        took = vectors["objects"]
        counts = took.weights[slots]
        now = took.weights_at(slots, state.clock, took.half_life)
        of_objects = (took.sums[slots] @ whitened - counts * float(mean @ whitened)) * (
            np.divide(now, counts, out=np.zeros(len(slots)), where=counts > 0) / (now + 1.0)
        )
        return (
            own[:, 0] / own_length / length,
            own[:, 1] / own_length / across,
            late[:, 0] / late_length / length,
            np.sign(of_objects) * np.sqrt(np.abs(of_objects)),
            self._terms(trigger, slots),
        )

    def _unusual(self, name: str, slots: Ints, against: NDArray[np.float32]) -> tuple[Values, Values]:
        """Return the products of people's vectors, without what is common to all, with ``against``; and their lengths.

        The last column of ``against``, shape (256, 3), is what is common. It is taken off the products and not off the
        vectors, which are many.
        """
        vectors = self._state.people.vectors[name]
        sums, weights, common = vectors.sums[slots], vectors.weights[slots], against[:, -1].astype(np.float64)
        products = (sums @ against).astype(np.float64)
        squares = np.einsum("ij,ij->i", sums, sums).astype(np.float64)
        squares += weights * (weights * float(common @ common) - 2.0 * products[:, -1])
        lengths = np.sqrt(np.maximum(squares, 0.0))
        lengths[lengths < 1e-6] = 1.0
        return products - weights[:, None] * (common @ against.astype(np.float64)), lengths

    def _terms(self, trigger: Trigger, slots: Ints) -> Values:
        state = self._state
        held, cosines = state.words.like(trigger.text, _SPEAKERS, 0.0)
        whom = np.array([state.speakers[slot] for slot in held.tolist()], dtype=np.int64)
        return self._spread((whom, cosines), slots)

    # --- who began it, who else is there

    def _author(self, trigger: Trigger, slots: Ints) -> tuple[Values, ...]:
        state, now = self._state, self._state.clock
        author = state.people.find(trigger.people[0]) if trigger.people else NOBODY
        columns, lifts = lifts_of(state, author)
        shared = state.ties.row(author)[1] / weight(now, TIES)
        joined = self._decayed(state.joined, author, slots)
        began = state.people.one_at("started", author, now)
        everyone = state.people.total_at("joined", now) + 1.0
        usual = (began + 2.0) * (state.people.at("joined", slots, now) + 5.0) * 3.0
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
        columns, values = rows.row(author)
        return self._spread((columns, values / weight(self._state.clock, TIES)), slots)

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

    def _places_of(self, trigger: Trigger, slots: Ints) -> tuple[Values, ...]:
        state, now, container = self._state, self._state.clock, trigger.container
        here = self._spread(state.here.row(container), slots)
        columns, times = state.seen_here.row(container)
        ever = self._spread(state.ever.row(container), slots)
        alike, lift = self._places.alike(self._places.place(container), slots)
        kinds_total = state.people.kinds[slots].sum(axis=1)
        kind = state.people.kinds[slots, trigger.kind]
        lately, share, wandered = ((state.around, 20.0), (state.around_ever, 180.0), (state.wandered_around, 60.0))
        newcomer = bool(state.people.actions[self._author_slot(trigger)] < 5)
        helped = (state.people.at("for_newcomers", slots, now) + 0.3) / (state.people.at("joined", slots, now) + 3.0)
        return (
            here,
            self._spread((columns, np.exp2(-np.maximum(now - times, 0.0) / (30.0 * DAY))), slots) * (here > 0),
            np.log1p(np.maximum(ever - here, 0.0)),
            alike,
            lift,
            np.divide(kind, kinds_total, out=np.zeros(len(slots)), where=kinds_total > 0),
            *(
                np.log1p(self._spread(rows.row(trigger.around), slots) / weight(now, half_life))
                for rows, half_life in (lately, share, wandered)
            ),
            np.log(helped) if newcomer else np.zeros(len(slots)),
        )

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
        ]

    def _followed(self, trigger: Trigger, slots: Ints) -> Values:
        state, found = self._state, np.zeros((len(slots), len(FOLLOWED)))
        refs = (
            (kinds.PERSON, trigger.people),
            (kinds.CONTAINER, trigger.tags[:2]),
            (kinds.TAG, (*(tag.lower() for tag in trigger.tags[2:]), *trigger.text.terms)),
        )
        for column, (kind, names) in enumerate(refs):
            followers = state.people.slots(self._follows.of(kind, names))
            found[:, column] = np.isin(slots, followers[followers != NOBODY])
        return found

    # --- sparse to dense

    def _room(self) -> Values:
        size = len(self._state.people.ids)
        if len(self._scratch) < size:
            self._scratch = np.zeros(2 * size)
        return self._scratch

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
