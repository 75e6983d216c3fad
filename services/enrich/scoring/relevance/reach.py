"""Who is reached by routes other than likeness: who changed what is changed together with a thing, who took part in
questions of others like it; and what its terms do elsewhere. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.decay import aged
from services.enrich.scoring.relevance.objects import Past
from services.enrich.scoring.relevance.rising import Risen
from services.enrich.scoring.relevance.rows import Row
from services.enrich.scoring.relevance.state import State
from services.enrich.scoring.relevance.trigger import Trigger

FADES = 120.0
"""Half-life in days of what a past object says about its people."""
_CHANGES_FADE = 60.0
Worth = tuple[Past, float]
"""A past object and what it counts."""


@dataclass(frozen=True, slots=True)
class Reach:
    """By one trigger. Rows have a person as often as that person is reached, to be summed.

    ``changed`` are past objects that are changed together with it, the most first; ``together`` is who changed them,
    ``answered`` who took part in questions of others that are like it.
    """

    changed: Sequence[Past]
    together: Row
    answered: Row
    risen: Risen

    @classmethod
    def of(
        cls,
        state: State,
        trigger: Trigger,
        asked: Mapping[str, float],
        similar: Sequence[Past],
        squares: Sequence[float],
    ) -> "Reach":
        """Return it. ``asked`` are the trigger's terms; ``similar`` past objects with the ``squares`` of cosines."""
        past = state.objects.get(trigger.object)
        changed = _changed_with(state, past) if past else []
        questions = _questions(state, similar, squares) if trigger.question else []
        return cls(
            changed=[other for other, _ in changed],
            together=_row((other.people, worth / np.sqrt(max(len(other.people), 1))) for other, worth in changed),
            answered=_row((_joined(other), worth) for other, worth in questions),
            risen=state.rising.of(asked, trigger.container, state.clock),
        )


def _changed_with(state: State, past: Past) -> list[Worth]:
    others, cosines = state.together.others(past.text, state.clock)
    found = zip(map(state.objects.find_text, others.tolist()), cosines.tolist(), strict=True)
    return [
        (other, cosine * aged(state.clock - other.last, _CHANGES_FADE)) for other, cosine in found if other is not None
    ]


def _questions(state: State, similar: Sequence[Past], squares: Sequence[float]) -> list[Worth]:
    return [
        (past, square * aged(state.clock - past.last, FADES))
        for past, square in zip(similar, squares, strict=True)
        if past.question
    ]


def _joined(past: Past) -> Mapping[int, int]:
    """Return who took part in what somebody else had begun."""
    return {slot: count for slot, count in past.people.items() if slot != past.starter}


def _row(people: Iterable[tuple[Mapping[int, int], float]]) -> Row:
    """Return people with what they count, more for who took part more often."""
    found = [(slot, worth, count) for those, worth in people for slot, count in those.items()]
    slots, worth, counts = zip(*found, strict=True) if found else ((), (), ())
    values: NDArray[np.float64] = np.array(worth, dtype=np.float64) * np.log1p(np.array(counts, dtype=np.float64))
    return np.array(slots, dtype=np.int64), values
