"""Weights from what people came to: a logistic model of every pair, and of each person-week which objects came first.

The pairs alone give probabilities that hold over all people; but a person sees one list, and in a list only the order
counts. So the loss is the sum of both: the logistic loss over all pairs and, per person and week with a positive, the
softmax loss over that week's objects (ListNet's top one, Cao et al. ICML 2007), with a ridge. Inputs that are the
person's alone cannot move the second, objects of crowded places move both. Of person-weeks without a positive a sample
is kept and weighed up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.common.errors import Stop
from services.enrich.scoring.relevance.names import FOLLOWED, NAMES, PERSON
from services.enrich.scoring.relevance.weights import Features, Weights

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

_RIDGE = 200.0
_OF_PERSON = 0.1
"""Share of the ridge on inputs that are the person's alone: they order no list and are what makes scores comparable
over people, where what history says counts more than what one would expect."""
_LIST = 1.0
"""What the order within person-weeks counts beside the pairs."""
_STEPS = 200
_FEWEST = 30
"""Positives below which weights would be chance."""
_SEED = 20


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs to learn from: inputs of shape (n, k), labels, weights, and the number of each one's person-week."""

    inputs: Values
    labels: Flags
    weights: Values
    lists: Ints


@dataclass(slots=True)
class Examples:
    """Collects pairs week by week; what it keeps does not depend on anything but the weeks and their order.

    ``kept`` is the share of the person-weeks without a positive that are learned from.
    """

    kept: float = 0.2
    _parts: list[Pairs] = field(default_factory=list)
    _lists: int = 0

    def add(self, features: Sequence[Features], labels: Flags) -> None:
        """Take in a week: the inputs of its triggers, and one label per pair in the order of triggers and people."""
        if not len(labels):
            return
        people = np.concatenate([np.asarray(one.people, dtype=object) for one in features])
        _, lists = np.unique(people.astype(str), return_inverse=True)
        positive = np.bincount(lists, labels) > 0
        chance = np.random.default_rng(_SEED + self._lists).random(len(positive))
        kept = np.flatnonzero((positive | (chance < self.kept))[lists])
        inputs = np.concatenate([one.inputs for one in features])[kept]
        weights = np.where(positive, 1.0, 1.0 / self.kept)[lists][kept]
        self._parts.append(Pairs(inputs, labels[kept], weights, lists[kept] + self._lists))
        self._lists += len(positive)

    def pairs(self) -> Pairs:
        """Return all pairs. Raises Stop when there are too few positives to learn from."""
        positives = sum(int(part.labels.sum()) for part in self._parts)
        if positives < _FEWEST:
            raise Stop(
                f"only {positives} times did somebody come to something unexpected, and weights need {_FEWEST} or more;"
                " take a longer period or keep the weights that there are"
            )
        columns = [[getattr(part, name) for part in self._parts] for name in ("inputs", "labels", "weights", "lists")]
        return Pairs(*(np.concatenate(column) for column in columns))

    def fit(self, prior: Weights | None = None, name: str = "trained", about: str = "") -> Weights:
        """Return the weights that fit best. Raises Stop as ``pairs`` does."""
        return fit(self.pairs(), prior, name, about)


def fit(pairs: Pairs, prior: Weights | None = None, name: str = "trained", about: str = "") -> Weights:
    """Return weights fitted to pairs, near those of ``prior`` (by hand without) where the pairs do not say otherwise.

    Those of follows stay as set by hand, since no history tells them.
    """
    from scipy.optimize import minimize

    learned = len(NAMES) - len(FOLLOWED)
    weights = _standard(pairs, name, about)
    # What one scale of an input counts is what communities have in common, not what one unit of it does.
    expected = (prior or Weights.untrained()).weight[:learned]
    by_hand = Weights.untrained().weight[learned:]
    inputs = weights.standard(pairs.inputs)
    loss = _Loss(inputs[:, :learned], pairs, expected, inputs[:, learned:] @ by_hand)
    start = np.r_[expected, 0.0]
    start[-1] = np.log(np.average(pairs.labels, weights=pairs.weights))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return Weights(name, float(found[-1]), weights.mean, weights.scale, np.r_[found[:-1], by_hand], about=about)


def _standard(pairs: Pairs, name: str, about: str) -> Weights:
    mean = np.average(pairs.inputs, axis=0, weights=pairs.weights)
    scale = np.sqrt(np.average((pairs.inputs - mean) ** 2, axis=0, weights=pairs.weights)) + 1e-3
    scale[-len(FOLLOWED) :], mean[-len(FOLLOWED) :] = 1.0, 0.0
    return Weights(name, 0.0, mean, scale, np.zeros(len(NAMES)), about=about)


class _Loss:
    """Loss and gradient of the weights followed by the bias."""

    def __init__(self, inputs: Values, pairs: Pairs, expected: Values, fixed: Values) -> None:
        self._inputs, self._pairs, self._expected, self._fixed = inputs, pairs, expected, fixed
        self._ridge = _RIDGE * np.where(np.isin(NAMES[: inputs.shape[1]], PERSON), _OF_PERSON, 1.0)
        self._labels = pairs.labels.astype(np.float64)
        count = int(pairs.lists.max()) + 1
        positives = np.bincount(pairs.lists, self._labels, count)
        listed = np.flatnonzero(positives[pairs.lists] > 0)
        self._listed = listed[np.argsort(pairs.lists[listed], kind="stable")]
        lists = pairs.lists[self._listed]
        self._starts = np.flatnonzero(np.r_[True, lists[1:] != lists[:-1]])
        self._list = np.repeat(np.arange(len(self._starts)), np.diff(np.r_[self._starts, len(lists)]))
        self._positives = positives[lists[self._starts]]

    def __call__(self, point: Values) -> tuple[float, Values]:
        weights = point[:-1]
        logit = self._inputs @ weights + self._fixed
        loss, slope = self._of_pairs(logit + point[-1])
        bias = float(slope.sum())
        loss_of_lists, slope_of_lists = self._of_lists(logit[self._listed])
        slope[self._listed] += _LIST * slope_of_lists
        off = weights - self._expected
        gradient = self._inputs.T @ slope + self._ridge * off
        total = loss + _LIST * loss_of_lists + 0.5 * float(off @ (self._ridge * off))
        return total, np.r_[gradient, bias]

    def _of_pairs(self, logit: Values) -> tuple[float, Values]:
        each = np.logaddexp(0.0, logit) - self._labels * logit
        slope = self._pairs.weights * (1.0 / (1.0 + np.exp(-logit)) - self._labels)
        return float(self._pairs.weights @ each), slope

    def _of_lists(self, logit: Values) -> tuple[float, Values]:
        labels = self._labels[self._listed]
        highest = np.maximum.reduceat(logit, self._starts)
        odds = np.exp(logit - highest[self._list])
        sums = np.add.reduceat(odds, self._starts)
        loss = float(self._positives @ (np.log(sums) + highest) - labels @ logit)
        return loss, self._positives[self._list] * odds / sums[self._list] - labels
