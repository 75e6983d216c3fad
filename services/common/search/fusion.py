"""Several rankings become one: weighted reciprocal rank fusion, and one hit a conversation. Pure.

Reciprocal rank fusion is Cormack, Clarke, Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
learning methods", SIGIR 2009. The weights were chosen on the relevance set of docs/search.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_K = 60
"""Dampens the first ranks, as in the paper."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each ranking counts. ``recency`` and ``places`` order what the first two have found."""

    words: float = 1.0
    meaning: float = 0.5
    recency: float = 0.1
    places: float = 0.4


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a ranking is made of. ``published`` is sortable text (RFC 3339 in UTC)."""

    id: str
    thread: str = ""
    published: str = ""
    context: tuple[str, ...] = ()


def fused(rankings: Sequence[Sequence[str]], weights: Sequence[float] = ()) -> list[tuple[str, float]]:
    """Return the ids of all rankings with their fused scores, best first; ties by id, so that the order is stable.

    >>> [name for name, _ in fused([["a", "b"], ["b", "c"]])]
    ['b', 'a', 'c']
    """
    scores: dict[str, float] = {}
    for number, ranking in enumerate(rankings):
        weight = weights[number] if weights else 1.0
        for rank, one in enumerate(ranking, start=1):
            scores[one] = scores.get(one, 0.0) + weight / (_K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def hybrid(
    words: Sequence[Candidate], meaning: Sequence[Candidate], places: Iterable[str] = (), weights: Weights | None = None
) -> list[Candidate]:
    """Return what was found by words and by meaning, best first: newer and nearer to one's own places counts a little.

    With one of both rankings alone its order stays as it is: who sorts by words gets words.
    """
    weights = weights or Weights()
    found = {one.id: one for one in (*meaning, *words)}
    if not words or not meaning:
        return list(words or meaning)
    base = [one for one, _ in fused([_ids(words), _ids(meaning)], [weights.words, weights.meaning])]
    newest = sorted(base, key=lambda one: found[one].published, reverse=True)
    own = set(places)
    near = [one for one in base if own.intersection(found[one].context)]
    order = fused(
        [_ids(words), _ids(meaning), newest, near],
        [weights.words, weights.meaning, weights.recency, weights.places],
    )
    return [found[one] for one, _ in order]


def conversations(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Return the best hit of each conversation, in the order of the ranking."""
    best: dict[str, Candidate] = {}
    for one in ranked:
        best.setdefault(one.thread or one.id, one)
    return list(best.values())


def _ids(candidates: Sequence[Candidate]) -> list[str]:
    return [one.id for one in candidates]
