"""Past objects like a trigger, and people who write about the same: asked once for each trigger. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.index import Found, Question
from services.enrich.scoring.relevance.objects import Past
from services.enrich.scoring.relevance.reach import Reach
from services.enrich.scoring.relevance.state import YEAR, State
from services.enrich.scoring.relevance.trigger import Trigger

Ints = NDArray[np.int64]
Values = NDArray[np.float64]

_SIMILAR = 200


@dataclass(frozen=True, slots=True)
class Similar:
    """Past objects like a trigger, the most alike first, with their cosines.

    ``people`` took part in them and ``named`` were mentioned there, object after object; ``levels`` is how often each
    took part, as a logarithm; ``sizes`` and ``names`` say how many belong to each object; ``last`` is in micros.
    """

    objects: Sequence[Past]
    cosines: Values
    people: Ints
    levels: Values
    sizes: Ints
    named: Ints
    names: Ints
    last: Values

    @classmethod
    def of(cls, objects: Sequence[Past], cosines: Values) -> "Similar":
        """Return them with their people."""
        return cls(
            objects,
            cosines,
            people=np.fromiter(chain.from_iterable(past.people for past in objects), np.int64),
            levels=np.log1p(np.fromiter(chain.from_iterable(past.people.values() for past in objects), np.float64)),
            sizes=np.array([len(past.people) for past in objects], dtype=np.int64),
            named=np.fromiter(chain.from_iterable(past.mentioned for past in objects), np.int64),
            names=np.array([len(past.mentioned) for past in objects], dtype=np.int64),
            last=np.array([past.last for past in objects], dtype=np.float64),
        )


@dataclass(frozen=True, slots=True)
class Likenesses:
    """What is like one trigger: its terms as ``asked`` of past objects and, in ``said``, of what people wrote.

    ``similar`` are past objects of the last year, without its own; ``speaking`` is who uses some of its words, and how
    alike to it is all that each has said (cosine).
    """

    asked: Question
    said: Question
    similar: Similar
    speaking: Found
    reach: Reach


class Likeness:
    """Answers are kept until the state changes: who selects, scores and explains asks the same."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._version = -1
        self._found: dict[tuple[str, int], Likenesses] = {}

    def of(self, trigger: Trigger) -> Likenesses:
        """Return what is like a trigger."""
        if self._version != self._state.version:
            self._found, self._version = {}, self._state.version
        key = trigger.object, trigger.at
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(trigger)
        return found

    def _find(self, trigger: Trigger) -> Likenesses:
        state = self._state
        asked, said = state.objects.index.asked(trigger.text), state.words.asked(trigger.text)
        slots, cosines = state.words.all_like(said)
        speaking = state.speakers[slots % state.limits.people], cosines
        similar = self._similar(trigger, asked)
        named = state.objects.index.named(asked)
        reach = Reach.of(state, trigger, named, similar.objects, (similar.cosines**2).tolist())
        return Likenesses(asked, said, similar, speaking, reach)

    def _similar(self, trigger: Trigger, asked: Question) -> Similar:
        state = self._state
        slots, cosines = state.objects.index.like(asked, _SIMILAR)
        found = [state.objects.of_text(slot) for slot in slots.tolist()]
        oldest = state.clock - YEAR
        kept = [place for place, past in enumerate(found) if past.key != trigger.object and past.last > oldest]
        return Similar.of([found[place] for place in kept], cosines[kept])
