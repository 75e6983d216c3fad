"""The inputs that are a person's alone, and what else of a person goes into every pair: taken once for a batch. Pure.

No number of one person depends on who else is in the batch, not even in its last bit: how a log is cut into batches
must change nothing. (A product of matrices by BLAS would not do: it adds up in another order for another shape.)
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.decay import DAY
from services.enrich.scoring.relevance.state import State

Ints = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unusual:
    """Sums of people's vectors (``slots``), to be compared without what is common to all of them."""

    weights: Values
    lengths: Values
    """Of the vectors without what is common."""

    @classmethod
    def of(cls, state: State, name: str, slots: Ints, common: NDArray[np.float32]) -> "Unusual":
        """Return those of one kind of vectors. What is common is taken off the products, since vectors are many."""
        vectors = state.people.vectors[name]
        sums, weights = vectors.sums[slots], vectors.weights[slots]
        products = np.einsum("ij,j->i", sums, common).astype(np.float64)
        squares = np.einsum("ij,ij->i", sums, sums).astype(np.float64)
        wide = common.astype(np.float64)
        squares += weights * (weights * float(wide @ wide) - 2.0 * products)
        lengths = np.sqrt(np.maximum(squares, 0.0))
        return cls(weights, np.where(lengths < 1e-6, 1.0, lengths))


@dataclass(frozen=True, slots=True)
class Persons:
    """By person: ``inputs`` of shape (n, len(PERSON)), and the rest as it goes into pairs."""

    slots: Ints
    inputs: Values
    taken: Values
    asked: Values
    joined: Values
    helped: Values
    answers: Values
    kinds: Values
    own_weights: Values
    own_lengths: Values
    late_weights: Values
    late_lengths: Values
    object_weights: Values
    object_factors: Values

    @classmethod
    def of(cls, state: State, slots: Ints) -> "Persons":
        """Return what is known of these people."""
        people, now = state.people, state.clock
        names = ("objects", "summoned", "joined", "for_newcomers", "joined_questions")
        objects, summoned, joined, helped, questions = (people.at(name, slots, now) for name in names)
        common = state.meaning.mean()
        own, late = (Unusual.of(state, name, slots, common) for name in ("words", "recent"))
        took, kinds = people.vectors["objects"], people.kinds[slots]
        counts, left = took.weights[slots], took.weights_at(slots, now, took.half_life)
        total = kinds.sum(axis=1, keepdims=True)
        return cls(
            slots=slots,
            inputs=_inputs(state, slots),
            taken=np.sqrt(objects + 1.0),
            asked=np.sqrt(summoned + 1.0),
            joined=joined,
            helped=np.log((helped + 0.3) / (joined + 3.0)),
            answers=np.log((questions + 0.6) / (joined + 2.0)),
            kinds=np.divide(kinds, total, out=np.zeros(kinds.shape), where=total > 0),
            own_weights=own.weights,
            own_lengths=own.lengths,
            late_weights=late.weights,
            late_lengths=late.lengths,
            object_weights=counts,
            object_factors=np.divide(left, counts, out=np.zeros(len(slots)), where=counts > 0) / (left + 1.0),
        )

    def at(self, places: Ints) -> "Persons":
        """Return some of them."""
        return Persons(*(getattr(self, one.name)[places] for one in fields(self)))


def _inputs(state: State, slots: Ints) -> Values:
    """Return the columns of PERSON."""
    people, now = state.people, state.clock
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
