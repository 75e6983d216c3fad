"""What a list is worth; and scorers that know the future, nothing, or only distance are told apart."""

from typing import Any

import numpy as np
import pytest

from services.enrich.judge.metrics import RANKING, Items, Tally, interval, ordered, ranking, tie_breaks
from services.enrich.judge.weeks import NEVER, Week
from services.enrich.judge.world import Flags

_PEOPLE, _OBJECTS = 60, 40


def a_week(positive: Flags, candidates: Flags | None = None, start: int = 0) -> Week:
    n, m = positive.shape
    kept = np.ones_like(positive) if candidates is None else candidates
    none, columns = np.zeros_like(positive), np.zeros(m, dtype=np.int64)
    found = np.full(positive.shape, NEVER)
    return Week(
        start,
        np.arange(n),
        np.full(n, 20),
        np.arange(m),
        columns,
        columns,
        columns,
        kept,
        positive,
        none,
        kept,
        kept,
        found,
    )


def result(week: Week, scores: np.ndarray) -> dict[str, Any]:
    tally = Tally("one")
    about = Items(np.ones(scores.shape[1]), np.eye(scores.shape[1], dtype=np.float32))
    tally.add(week, scores, tie_breaks(week, week.people, week.objects), about)
    return tally.result()


def chance(share: float = 0.02) -> Flags:
    return np.random.default_rng(3).random((_PEOPLE, _OBJECTS)) < share


def test_the_metrics_of_a_list_are_those_that_the_hand_finds() -> None:
    scores = np.arange(12, 0, -1, dtype=float)[None, :]
    right = np.zeros((1, 12), dtype=bool)
    right[0, [1, 3, 11]] = True  # second, fourth and twelfth of twelve
    count, sums = ranking(scores, ordered(scores, right | ~right, np.zeros((1, 12), np.uint64)), right | ~right, right)
    ideal = 1 + 1 / np.log2(3) + 0.5
    expected = [(1 / np.log2(3) + 1 / np.log2(5)) / ideal, 0.2, 2 / 3, 1.0, 0.5, (8 + 7 + 0) / (9 * 3)]
    assert count == 1
    assert sums == pytest.approx(expected)


def test_what_is_no_candidate_takes_no_place_in_a_list() -> None:
    scores = np.array([[9.0, 8.0, 1.0]])
    kept = np.array([[False, True, True]])
    right = np.array([[False, False, True]])
    _, sums = ranking(scores, ordered(scores, kept, np.zeros((1, 3), np.uint64)), kept, right)
    assert sums[RANKING.index("mrr")] == 0.5


def test_equal_scores_get_no_advantage() -> None:
    week = a_week(chance())
    alike = result(week, np.zeros((_PEOPLE, _OBJECTS)))
    assert alike["auc"] == 0.5
    # A scorer that knew where the right ones stand in the table would put them first by a stable sort; a hash does not.
    assert alike["recall@10"] == pytest.approx(10 / _OBJECTS, abs=0.12)


def test_the_order_of_equal_scores_is_always_the_same_and_another_one_every_week() -> None:
    one, other = a_week(chance()), a_week(chance(), start=1)
    assert (tie_breaks(one, one.people, one.objects) == tie_breaks(one, one.people, one.objects)).all()
    assert (tie_breaks(one, one.people, one.objects) != tie_breaks(other, other.people, other.objects)).any()


def test_a_scorer_that_peeks_one_that_knows_nothing_and_one_that_ranks_by_distance_are_told_apart() -> None:
    """Relevance makes a pair come true; the farther of two, the less. So distance alone is worse than chance."""
    random = np.random.default_rng(11)
    relevance = random.random((_PEOPLE, _OBJECTS))
    positive = random.random((_PEOPLE, _OBJECTS)) < 0.1 * relevance**2
    week = a_week(positive)
    peeks, knows_nothing = (result(week, given) for given in (positive.astype(float), np.zeros_like(relevance)))
    distance, relevant = (result(week, given) for given in (1 - relevance, relevance))
    assert peeks["ndcg@10"] == peeks["auc"] == 1.0
    assert distance["auc"] < 0.4 < knows_nothing["auc"] < 0.6 < relevant["auc"] < 0.9
    assert distance["ndcg@10"] < knows_nothing["ndcg@10"] < relevant["ndcg@10"] < 0.9


def test_the_pooled_list_is_one_over_all_people_and_weeks() -> None:
    tally = Tally("one")
    about = Items(np.ones(_OBJECTS), np.eye(_OBJECTS, dtype=np.float32))
    for start in range(3):
        week = a_week(chance(0.5), start=start)
        scores = np.where(week.positive, 1.0, 0.0) if start == 1 else np.full(week.positive.shape, 0.5)
        tally.add(week, scores, tie_breaks(week, week.people, week.objects), about)
    assert tally.result()["p@500"] == 1.0  # week 1 has over a thousand right ones, and they stand before all else


def test_a_score_that_is_not_a_number_is_refused() -> None:
    week = a_week(chance())
    with pytest.raises(ValueError, match="not a number"):
        result(week, np.full((_PEOPLE, _OBJECTS), np.nan))


def test_lists_are_described_by_coverage_novelty_and_diversity() -> None:
    week = a_week(np.eye(3, 20, dtype=bool))
    everyone_the_same = result(week, np.broadcast_to(np.arange(20.0), (3, 20)))
    assert everyone_the_same["coverage"] == 0.5
    assert everyone_the_same["novelty"] == 1.0
    assert everyone_the_same["diversity"] == 1.0  # all vectors are at right angles


def test_an_interval_holds_the_mean_and_narrows_with_more_weeks() -> None:
    few = interval(np.array([1.0, 3.0, 2.0, 4.0]), np.full(4, 10.0))
    many = interval(np.tile([1.0, 3.0, 2.0, 4.0], 20), np.full(80, 10.0))
    assert few is not None
    assert many is not None
    assert few[0] < many[0] < 0.25 < many[1] < few[1]
    assert interval(np.zeros(2), np.zeros(2)) is None
