"""Learning from made-up weeks whose rule is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.errors import Stop
from services.enrich.scoring.relevance import Features, Weights
from services.enrich.scoring.relevance.names import FOLLOWED, NAMES
from services.enrich.scoring.relevance.training import Examples, _Loss

TELLING = NAMES.index("own_terms")
PEOPLE = [f"p{n}" for n in range(40)]


def _week(chance: np.random.Generator) -> tuple[list[Features], NDArray[np.bool_]]:
    """Return a week in which people come to what is about their own terms."""
    features = []
    for _ in range(12):
        inputs = chance.normal(size=(len(PEOPLE), len(NAMES)))
        inputs[:, -len(FOLLOWED) :] = 0.0
        features.append(Features(PEOPLE, inputs, np.ones(len(PEOPLE))))
    logit = np.concatenate([one.inputs for one in features])[:, TELLING] * 2.0 - 5.0
    return features, chance.random(len(logit)) < 1 / (1 + np.exp(-logit))


def _examples(weeks: int = 12) -> Examples:
    chance, examples = np.random.default_rng(3), Examples(kept=1.0)
    for _ in range(weeks):
        examples.add(*_week(chance))
    return examples


def test_the_input_that_tells_gets_the_weight() -> None:
    weights = _examples().fit()
    learned = np.abs(weights.weight[: -len(FOLLOWED)])
    assert learned.argmax() == TELLING
    assert learned[TELLING] > 5 * np.sort(learned)[-2]


def test_probabilities_are_as_frequent_as_they_say() -> None:
    weights, chance = _examples(60).fit(), np.random.default_rng(4)
    expected = happened = 0.0
    for _ in range(30):
        features, labels = _week(chance)
        expected += sum(float(weights.score(one).score.sum()) for one in features)
        happened += float(labels.sum())
    assert expected == pytest.approx(happened, rel=0.3)


def test_without_a_clear_answer_weights_stay_near_those_before() -> None:
    features, labels = _week(np.random.default_rng(7))
    examples = Examples()
    for _ in range(3):
        examples.add(features, labels)
    before = replace(Weights.untrained(), weight=-Weights.untrained().weight)
    near, far = examples.fit(before), examples.fit()
    assert np.abs(near.weight - before.weight).sum() < np.abs(far.weight - before.weight).sum()


def test_weights_of_follows_stay_as_set_by_hand() -> None:
    assert (_examples().fit().weight[-len(FOLLOWED) :] == Weights.untrained().weight[-len(FOLLOWED) :]).all()


def test_too_few_positives_are_refused() -> None:
    features, labels = _week(np.random.default_rng(5))
    examples = Examples()
    examples.add(features, np.zeros_like(labels))
    with pytest.raises(Stop, match="only 0 times"):
        examples.fit()


def test_the_gradient_is_that_of_the_loss() -> None:
    pairs = _examples(3).pairs()
    loss, chance = _Loss(pairs.inputs[:, :5], pairs, np.full(5, 0.1), pairs.inputs[:, 6]), np.random.default_rng(6)
    point = chance.normal(size=6) * 0.1
    _, gradient = loss(point)
    for place in range(6):
        step = np.zeros(6)
        step[place] = 1e-5
        assert gradient[place] == pytest.approx((loss(point + step)[0] - loss(point - step)[0]) / 2e-5, rel=1e-3)


def test_a_weights_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    weights = Weights.shipped()
    (tmp_path / "weights.json").write_bytes(weights.text())
    assert Weights.load(tmp_path / "weights.json").text() == weights.text()


@pytest.mark.parametrize("content", ["", "{}", '{"form": 1, "inputs": {}}', '{"form": 2}'])
def test_a_broken_weights_file_is_refused_in_a_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text(content)
    with pytest.raises(Stop, match=r"weights\.json is no weights file"):
        Weights.load(tmp_path / "weights.json")
