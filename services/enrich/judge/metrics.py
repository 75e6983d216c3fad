"""Metrics of ranked lists, per person and week, with intervals by bootstrap over weeks. Pure.

Equal scores get no advantage: lists are ordered by score and then by a hash of person and object, which knows nothing
of what came of the pair; AUC counts an equal score as half.

NDCG: Järvelin & Kekäläinen, TOIS 2002, with relevance 0 or 1. AUC: the share of (positive, other) pairs in the right
order (Mann-Whitney U). Novelty: -log2 of an item's popularity (Vargas & Castells, RecSys 2011).
"""

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from services.enrich.judge.weeks import Week
from services.enrich.judge.world import Flags, Ints

Scores = NDArray[np.float64]

SHOWN = 10
POOLED = 500
RESAMPLED = 1_000
MAIN = "all"
SUBSETS = ("zero", "zero_stranger", "summoned")
RANKING = ("ndcg@10", "ser@10", "recall@10", "hit@10", "mrr", "auc")
"""Metrics that are means over the person-weeks with a positive."""
_DISCOUNT = 1.0 / np.log2(np.arange(2, SHOWN + 2))
_SEED = 20_240_701
_LEAST_WEEKS = 2


def tie_breaks(week: Week, people: Ints, objects: Ints) -> NDArray[np.uint64]:
    """Return a number per pair that orders equal scores: splitmix64 of hashes of person, object and T; shape (n, m)."""
    salt = np.uint64(week.start)
    mixed = (
        people.astype(np.uint64)[:, None] * np.uint64(0x9E3779B97F4A7C15) ^ objects.astype(np.uint64)[None, :] ^ salt
    )
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def ordered(scores: Scores, candidates: Flags, breaks: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return the columns of each row, the best candidate first, what is no candidate last."""
    if np.isnan(scores[candidates]).any():
        raise ValueError("a scorer gave a score that is not a number")
    return np.lexsort((breaks, np.where(candidates, -scores, np.inf), ~candidates), axis=-1)


def subsets_of(week: Week) -> dict[str, tuple[Flags, Flags]]:
    """Return which pairs are ranked and which of them are right, for all and for each strict subset.

    For *summoned* the same lists are ranked, and only who was summoned counts as right.
    """
    return {
        MAIN: (week.candidates, week.positive),
        "zero": (week.zero, week.positive & week.zero),
        "zero_stranger": (week.zero_stranger, week.positive & week.zero_stranger),
        "summoned": (week.candidates, week.summoned),
    }


def ranking(scores: Scores, order: NDArray[np.intp], ranked: Flags, right: Flags) -> tuple[int, NDArray[np.float64]]:
    """Return the number of people with something right, and the sums of the metrics of RANKING over them."""
    rows = np.flatnonzero(right.any(axis=1))
    if not len(rows):
        return 0, np.zeros(len(RANKING))
    kept = np.take_along_axis(ranked[rows], order[rows], axis=1)
    hits = np.take_along_axis(right[rows], order[rows], axis=1)
    place = np.cumsum(kept, axis=1)
    top = hits & (place <= SHOWN)
    gain = np.where(top, _DISCOUNT[np.minimum(place, SHOWN) - 1], 0.0).sum(axis=1)
    count = hits.sum(axis=1)
    ideal = np.cumsum(_DISCOUNT)[np.minimum(count, SHOWN) - 1]
    found = top.sum(axis=1)
    first = np.take_along_axis(place, hits.argmax(axis=1)[:, None], axis=1)[:, 0]
    areas = [_auc(scores[row], ranked[row], right[row]) for row in rows]
    per_row = (gain / ideal, found / SHOWN, found / count, found > 0, 1.0 / first, areas)
    return len(rows), np.array([float(np.sum(values)) for values in per_row])


def _auc(scores: Scores, ranked: Flags, right: Flags) -> float:
    ranks = rankdata(scores[ranked])
    positive = right[ranked]
    ours, others = int(positive.sum()), int((~positive).sum())
    if not others:
        return 0.5
    return float((ranks[positive].sum() - ours * (ours + 1) / 2) / (ours * others))


@dataclass(slots=True)
class Tally:
    """What one scorer achieved, week by week."""

    scorer: str
    _sums: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    _counts: dict[str, list[int]] = field(default_factory=dict)
    _pool: list[tuple[float, int, bool]] = field(default_factory=list)
    _lists: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, week: Week, scores: Scores, breaks: NDArray[np.uint64], about: "Items") -> None:
        """Take in a week's scores; shape (n, m), as of ``week``."""
        order = ordered(scores, week.candidates, breaks)
        for name, (ranked, right) in subsets_of(week).items():
            count, sums = ranking(scores, order, ranked, right)
            self._counts.setdefault(name, []).append(count)
            self._sums.setdefault(name, []).append(sums)
        self._add_to_pool(week, scores, breaks)
        self._lists.append(about.of_lists(order, week.candidates))

    def _add_to_pool(self, week: Week, scores: Scores, breaks: NDArray[np.uint64]) -> None:
        values, hashes, right = scores[week.candidates], breaks[week.candidates], week.positive[week.candidates]
        best = np.lexsort((hashes, -values))[:POOLED]
        entries = zip(values[best].tolist(), hashes[best].tolist(), right[best].tolist(), strict=True)
        self._pool = heapq.nlargest(POOLED, [*self._pool, *entries])

    def result(self) -> dict[str, Any]:
        """Return all metrics by name; intervals are of 95 %."""
        coverage, novelty, diversity, slots, lists, objects = np.sum(self._lists, axis=0)
        return {
            "scorer": self.scorer,
            **self._subset(MAIN),
            f"p@{POOLED}": _ratio(sum(right for *_, right in self._pool), len(self._pool)),
            "coverage": _ratio(coverage, objects),
            "novelty": _ratio(novelty, slots),
            "diversity": _ratio(diversity, lists),
            "subsets": {name: self._subset(name) for name in SUBSETS},
        }

    def _subset(self, name: str) -> dict[str, Any]:
        counts = np.array(self._counts.get(name, []), dtype=np.float64)
        sums = np.array(self._sums.get(name, [])).reshape(-1, len(RANKING))
        found: dict[str, Any] = {"person_weeks": int(counts.sum())}
        for number, metric in enumerate(RANKING):
            found[metric] = _ratio(sums[:, number].sum(), counts.sum())
            found[f"{metric}_ci"] = interval(sums[:, number], counts)
        return found


def interval(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> list[float] | None:
    """Return the 95 % percentile interval of sum over count, by drawing weeks with replacement; None for one week."""
    if np.count_nonzero(counts) < _LEAST_WEEKS:
        return None
    draws = np.random.default_rng(_SEED).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLED)
    totals = draws @ counts
    means = (draws @ sums)[totals > 0] / totals[totals > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return [float(low), float(high)]


def _ratio(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole else None


@dataclass(frozen=True, slots=True)
class Items:
    """What lists are described by: how rare each object's container is (-log2 p), and what the object is about."""

    novelty: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def of_lists(self, order: NDArray[np.intp], candidates: Flags) -> NDArray[np.float64]:
        """Return objects shown, sum of novelty, sum of diversity, slots, lists of two or more, and objects."""
        lengths = np.minimum(candidates.sum(axis=1), SHOWN)
        top = order[:, :SHOWN]
        filled = np.arange(top.shape[1])[None, :] < lengths[:, None]
        shown = np.unique(top[filled])
        apart, several = _diversity(self.vectors[top], filled, lengths)
        slots = int(filled.sum())
        return np.array(
            [len(shown), self.novelty[top[filled]].sum(), apart, slots, several, candidates.any(axis=0).sum()],
            dtype=np.float64,
        )


def _diversity(vectors: NDArray[np.float32], filled: Flags, lengths: Ints) -> tuple[float, int]:
    """Return the sum over lists of the mean cosine distance of two different items of the list, and how many lists."""
    vectors = vectors * filled[:, :, None]
    total = vectors.sum(axis=1)
    squares = np.einsum("ijk,ijk->i", vectors, vectors)
    pairs = lengths * (lengths - 1)
    several = pairs > 0
    alike = (np.einsum("ik,ik->i", total, total) - squares)[several] / pairs[several]
    return float((1.0 - alike).sum()), int(several.sum())
