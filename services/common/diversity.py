"""Greedy re-ranking, so that a list is not all of one kind: maximal marginal relevance over named facets. Pure.

Carbonell and Goldstein, SIGIR 1998: the next item is the one with the largest ``c * relevance - (1 - c) * likeness to
the most alike that was taken already``.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

_RELEVANCE = 0.7
ALIKE: Mapping[str, float] = {"place": 0.45, "author": 0.25, "unit": 0.15, "language": 0.15}
"""How much an equal facet makes two items alike. In sum 1: equal in all of them is the same thing once more."""


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
    left = [((score - bottom) / span, item) for score, item in ranked]
    nearest = [0.0] * len(left)
    taken: list[T] = []
    while left and len(taken) < most:
        # The first of equals wins, so the answer depends on the order that was given and on nothing else.
        best = max(range(len(left)), key=lambda i: _RELEVANCE * left[i][0] - (1 - _RELEVANCE) * nearest[i])
        item = left.pop(best)[1]
        nearest.pop(best)
        taken.append(item)
        nearest = [max(near, likeness(item, other)) for near, (_, other) in zip(nearest, left, strict=True)]
    return taken


def likeness(one: Item, other: Item) -> float:
    """Return how alike two items are, 0 to 1."""
    first, second = one.facets, other.facets
    return sum(weight for name, weight in ALIKE.items() if first.get(name) and first[name] == second.get(name))
