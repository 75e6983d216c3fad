"""What is remembered of candidates that were issued."""

from dataclasses import replace
from datetime import timedelta

from services.common.bus.memory import MemoryBus
from services.common.model import EPOCH
from services.common.recommendation import Evidence, Recommendation, recommendation_in, recommendation_out
from services.enrich.scoring.issued import Issued
from services.enrich.scoring.selections import withdrawn
from services.enrich.scoring.slim import Terms, slim


def candidate(number: int, **changes: object) -> Recommendation:
    one = Recommendation(
        person="ann",
        object=f"chat:{number}",
        thread="talk",
        terms={"own_words": 0.25, "bias": -4.0},
        reason="You worked on “Rooks”.",
        plain="It is about the same.",
        evidence=(Evidence("chat:1", "room"),),
        people=("bob",),
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def test_a_slim_recommendation_is_the_same() -> None:
    one = candidate(5)
    assert slim(one) == one
    assert recommendation_in(recommendation_out(slim(one), EPOCH)) == one
    assert slim(one).terms != Terms({"own_words": 0.25, "bias": -3.0})


def test_a_candidate_is_found_by_what_it_is_about_and_by_what_its_reason_rested_on() -> None:
    issued = Issued(MemoryBus("t."))
    issued.add(candidate(5))
    for name in ("chat:5", "talk", "chat:1", "bob"):
        assert issued.resting_on(name) == [candidate(5)]
    issued.drop("ann|chat:5")
    assert [issued.resting_on(name) for name in ("chat:5", "talk", "chat:1", "bob")] == [[], [], [], []]


def test_a_candidate_that_comes_again_rests_on_what_it_rests_on_now() -> None:
    issued = Issued(MemoryBus("t."))
    issued.add(candidate(5))
    issued.add(candidate(5, evidence=(Evidence("chat:2", "room"),), people=()))
    assert (issued.resting_on("chat:1"), issued.resting_on("bob")) == ([], [])
    assert len(issued.resting_on("chat:2")) == len(issued.resting_on("talk")) == 1


def test_the_oldest_candidates_make_room() -> None:
    issued = Issued(MemoryBus("t."), most=3)
    for number in range(5):
        issued.add(candidate(number))
    assert [f"ann|chat:{number}" in issued for number in range(5)] == [False, False, True, True, True]
    assert len(issued.resting_on("talk")) == 3


def test_what_comes_back_late_by_the_log_does_not_undo_what_was_issued_since() -> None:
    issued, before = Issued(MemoryBus("t.")), candidate(5)
    issued.add(replace(before, published=EPOCH + timedelta(days=8)))
    for late in (before, withdrawn(before, "joined")):
        issued.hear(before.key, recommendation_out(late, EPOCH))
    assert [one.published for one in issued.resting_on("chat:5")] == [EPOCH + timedelta(days=8)]
    issued.hear(before.key, recommendation_out(withdrawn(issued.resting_on("chat:5")[0], "joined"), EPOCH))
    assert issued.resting_on("chat:5") == []
