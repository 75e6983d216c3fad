"""Greedy re-ranking, so that a list is not all of one kind: maximal marginal relevance over named facets. Pure.

Carbonell and Goldstein, SIGIR 1998: the next item is the one with the largest ``c * relevance - (1 - c) * likeness to
the most alike that was taken already``.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

_RELEVANCE = 0.7
ALIKE: Mapping[str, float] = {"place": 0.45, "author": 0.25, "unit": 0.15, "language": 0.15}
"""How much an equal facet makes two items alike. In sum 1: equal in all of them is the same thing once more."""
_WEIGHTS = tuple(ALIKE.values())


class Item(Protocol):
    """Something to be ranked. ``facets`` holds names of ``ALIKE``; an empty value is unknown and like nothing."""

    @property
    def facets(self) -> Mapping[str, str]: ...


T = TypeVar("T", bound=Item)


def diversified(ranked: Sequence[tuple[float, T]], most: int) -> list[T]:
    """Return up to ``most`` items, greedily; ``ranked`` pairs each with its score, best first, on any scale."""
    if not ranked:
        return []
    top, bottom = ranked[0][0], ranked[-1][0]
    span = (top - bottom) or 1.0
    worth = [_RELEVANCE * ((score - bottom) / span) for score, _ in ranked]
    facets = [_facets(item) for _, item in ranked]
    nearest = [0.0] * len(ranked)
    left, taken = list(range(len(ranked))), list[T]()
    while left and len(taken) < most:
        # The first of equals wins, so the answer depends on the order that was given and on nothing else.
        best = max(left, key=lambda i: worth[i] - (1 - _RELEVANCE) * nearest[i])
        left.remove(best)
        taken.append(ranked[best][1])
        for i in left:
            nearest[i] = max(nearest[i], _alike(facets[best], facets[i]))
    return taken


def likeness(one: Item, other: Item) -> float:
    """Return how alike two items are, 0 to 1."""
    return _alike(_facets(one), _facets(other))


def _facets(one: Item) -> tuple[str, ...]:
    facets = one.facets
    return tuple([facets.get(name, "") for name in ALIKE])


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return sum([weight for weight, a, b in zip(_WEIGHTS, one, other, strict=True) if a and a == b])
