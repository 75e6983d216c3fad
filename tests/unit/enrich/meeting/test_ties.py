"""Ties: what they are made of, and that neither order nor repetition changes them."""

import random

import pytest

from services.common.model import Enriched
from services.enrich.meeting.things import Things
from services.enrich.meeting.ties import HALF_LIFE, Kind, Tie, Ties
from tests.unit.enrich.meeting.made import at, said


def tied(activities: list[Enriched]) -> Ties:
    things = Things()
    ties = Ties(things)
    for one in activities:
        ties.observe(one, things.observe(one))
    return ties


def get(ties: Ties, one: str = "ann", other: str = "bob") -> Tie:
    tie = ties.get(one, other)
    assert tie is not None
    return tie


def test_sharing_an_object_is_having_met() -> None:
    tie = get(tied([said(1, "ann", "soup"), said(2, "bob", "soup", days=1)]))
    assert (tie.kind, tie.strength, tie.first, tie.last) == (Kind.MET, 1.0, at(1), at(1))
    assert tie.objects == ("chat:room/soup",)


def test_an_answer_counts_double_and_answers_both_ways_are_reciprocal() -> None:
    ask, answer = said(1, "ann", "soup"), said(2, "bob", "soup", to="1")
    assert get(tied([ask, answer])).kind is Kind.REPLIED
    assert get(tied([ask, answer])).strength == 3.0
    assert get(tied([ask, answer, said(3, "ann", "soup", to="2")])).kind is Kind.RECIPROCAL


def test_an_answer_that_comes_before_its_question_counts_too() -> None:
    ask, answer = said(1, "ann", "soup"), said(2, "bob", "soup", to="1")
    assert get(tied([answer, ask])) == get(tied([ask, answer]))


def test_a_mention_ties_though_the_other_was_not_there() -> None:
    assert get(tied([said(1, "ann", "soup", mentions=("bob",))])).kind is Kind.REPLIED


def test_turning_to_each_other_in_three_months_is_sustained() -> None:
    months = [
        said(n, who, f"t{n}", days=40 * n, mentions=(other,))
        for n, (who, other) in enumerate([("ann", "bob"), ("bob", "ann"), ("ann", "bob")])
    ]
    assert get(tied(months)).kind is Kind.SUSTAINED


def test_strength_halves_in_120_days_of_event_time() -> None:
    old = [said(1, "ann", "soup"), said(2, "bob", "soup")]
    new = [said(3, "ann", "stew", days=120), said(4, "bob", "stew", days=120)]
    assert at(120) - at(0) == HALF_LIFE
    assert get(tied(old + new)).strength == pytest.approx(1.5)


def test_the_thirty_first_person_unties_all_who_met_only_there() -> None:
    ties = tied([said(n, f"p{n}", "party") for n in range(30)])
    assert ties.get("p1", "p2") is not None
    ties = tied([said(n, f"p{n}", "party") for n in range(31)])
    assert ties.get("p1", "p2") is None
    assert ("p1", "p2") in ties.take_touched()


def test_whoever_is_forgotten_has_met_nobody() -> None:
    ties = tied([said(1, "ann", "soup"), said(2, "bob", "soup"), said(3, "cid", "soup")])
    ties.take_touched()
    ties.forget("bob")
    assert ties.get("ann", "bob") is None
    assert ties.take_touched() == [("ann", "bob"), ("bob", "cid")]
    assert set(ties.of("ann")) == {"cid"}


def history(seed: int) -> list[Enriched]:
    """Return 400 messages of 12 people in 60 threads, some of them answers or mentions."""
    rng = random.Random(seed)
    people = [f"p{n}" for n in range(12)]
    return [
        said(
            n,
            rng.choice(people),
            f"t{rng.randrange(60)}",
            days=rng.uniform(0, 200),
            to=str(rng.randrange(400)) if rng.random() < 0.3 else "",
            mentions=(rng.choice(people),) if rng.random() < 0.1 else (),
        )
        for n in range(400)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_another_order_and_a_restart_give_identical_ties(seed: int) -> None:
    """A restart reads from further back than it had got: the same again, from a state that is new or has it all."""
    clean, disturbed = history(seed), history(seed)
    random.Random(seed + 100).shuffle(disturbed)
    disturbed += disturbed[150:] + random.Random(seed).sample(disturbed, 100)
    once, again = tied(clean), tied(disturbed)
    pairs = set(once.take_touched())
    assert pairs == set(again.take_touched())
    assert len(pairs) > 30
    assert {pair: once.get(*pair) for pair in pairs} == {pair: again.get(*pair) for pair in pairs}
