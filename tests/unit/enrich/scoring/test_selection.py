from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from services.common.recommendation import Recommendation
from services.enrich.scoring.selection import selected
from tests.unit.enrich.made import NOON


def candidate(number: int, score: float, **more: Any) -> Recommendation:
    return Recommendation(
        **{
            "person": "ann",
            "object": f"o{number}",
            "score": score,
            "container": f"c{number}",
            "published": NOON,
            **more,
        }
    )


def objects(*candidates: Recommendation, daily: int = 3, seen: frozenset[str] = frozenset()) -> list[str]:
    return [one.object for one in selected(candidates, daily, seen)]


def test_the_best_of_the_day_are_given_and_no_more_than_the_budget() -> None:
    assert objects(*(candidate(n, float(n)) for n in range(6))) == ["o5", "o4", "o3"]
    assert objects(*(candidate(n, float(n)) for n in range(6)), daily=0) == []


def test_the_order_of_arrival_changes_nothing() -> None:
    day = [candidate(n, score, container="c" * (n % 2)) for n, score in enumerate((0.3, 0.9, 0.9, 0.1))]
    assert len({tuple(objects(*order, daily=2)) for order in permutations(day)}) == 1


@pytest.mark.parametrize("group", ["burst", "thread"])
def test_of_a_burst_and_of_a_conversation_the_best_is_given(group: str) -> None:
    same = [candidate(n, float(n), **{group: "same"}) for n in range(4)]
    assert objects(*same, candidate(9, 0.5)) == ["o3", "o9"]


def test_what_was_seen_stays_and_uses_the_budget_also_when_it_has_gone() -> None:
    day = [candidate(n, float(n)) for n in range(5)]
    assert objects(*day, seen=frozenset({"o0"})) == ["o4", "o3", "o0"]
    assert objects(*day, seen=frozenset({"o0", "gone"})) == ["o4", "o0"]
    assert objects(*day, daily=1, seen=frozenset({"o0", "o1"})) == ["o1", "o0"]


def test_nothing_more_of_a_conversation_that_was_seen() -> None:
    seen, same = candidate(0, 0.1, thread="t"), candidate(1, 0.9, thread="t")
    assert objects(seen, same, candidate(2, 0.5), seen=frozenset({"o0"})) == ["o2", "o0"]


def test_three_of_one_place_make_room_for_another() -> None:
    crowd = [candidate(n, 1.0 - n / 100, container="busy") for n in range(5)]
    other = replace(candidate(9, 0.96), container="quiet")
    assert "o9" in objects(*crowd, other, candidate(10, 0.0), daily=2)
