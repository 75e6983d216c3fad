"""Reciprocal rank fusion: several rankings become one (Cormack, Clarke, Büttcher, SIGIR 2009)."""

from collections.abc import Sequence

_K = 60
"""Dampens the first ranks, as in the paper."""


def fused(rankings: Sequence[Sequence[str]]) -> list[tuple[str, float]]:
    """Return the ids of all rankings with their fused scores, best first; ties by id, so that the order is stable.

    >>> [name for name, _ in fused([["a", "b"], ["b", "c"]])]
    ['b', 'a', 'c']
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, one in enumerate(ranking, start=1):
            scores[one] = scores.get(one, 0.0) + 1 / (_K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
