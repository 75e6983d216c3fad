"""Routes other than likeness: changed together, questions answered, what rises elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from services.common.model import Audience, Container, Enriched
from services.enrich.scoring.engagements import engagements
from services.enrich.scoring.relevance import Explanation, Features, Relevance, Trigger, Weights, reason
from services.enrich.scoring.relevance.decay import DAY
from services.enrich.scoring.relevance.names import NAMES
from services.enrich.scoring.relevance.rising import Rising
from services.enrich.scoring.relevance.together import Together
from tests.unit.enrich.made import activity
from tests.unit.enrich.scoring.relevance.worlds import about, message, observed, talks, trigger

REPOSITORY = Container(id="code", type="Repository", name="code")


def _change(number: int, by: str, area: str, days: float) -> Enriched:
    one = activity(
        number, f"change {number}", by=by, hours=24 * days, object_type="Commit", object_title=f"Change {number}",
        context=(REPOSITORY,), audience=Audience(container="code"), files=(f"{area}/one.rs",),
    )  # fmt: skip
    return Enriched(activity=one, person=by, text=one.object.content)


def _only(name: str, worth: float = 1.0) -> Weights:
    zeros = np.zeros(len(NAMES))
    return Weights("one", 0.0, zeros, zeros + 1.0, np.array([worth * (one == name) for one in NAMES]))


def _asked(one: Enriched) -> Trigger:
    return Trigger.of(one, *engagements(one))


def _history() -> list[Enriched]:
    """Ann changes parser and lexer together; bob knows the parser, cid the documentation."""
    both = [_change(n, "ann", area, n) for n, area in enumerate(("src/parser", "src/lexer") * 3)]
    return [*both, _change(10, "bob", "src/parser", 7), _change(11, "cid", "doc/guide", 7)]


def test_who_knows_what_is_changed_together_with_it_is_found_and_told_so() -> None:
    relevance = observed(_history(), Relevance(_only("changed_together")))
    asked = _asked(_change(20, "zoe", "src/lexer", 9))
    assert relevance.select(asked)[0] == "bob"
    bob, cid = relevance.score(asked, ["bob", "cid"]).score
    assert bob > cid == 0.5
    found = relevance.explain(asked, "bob")
    assert (found.kind, found.evidence[0].object) == ("together", "code:src/parser")
    assert reason(found) == "It often changes together with “Change 0” in code, on which you worked."
    assert "Change" not in reason(replace(found, evidence=()))


def test_what_a_person_changes_weeks_later_is_not_changed_together() -> None:
    together = Together()
    together.change(1, 0, 0)
    together.change(1, 1, 20 * DAY)
    together.change(1, 2, 21 * DAY)
    assert together.others(0, 21 * DAY)[0].tolist() == []
    assert together.others(1, 21 * DAY)[0].tolist() == [2]


def test_things_that_made_room_are_changed_together_with_nothing() -> None:
    together = Together()
    for thing in range(3):
        together.change(1, thing, DAY)
    together.drop(0)
    together.change(1, 3, DAY)
    assert together.others(0, DAY)[0].tolist() == []
    assert sorted(together.others(3, DAY)[0].tolist()) == [1, 2]


def test_what_a_forgotten_person_does_next_is_not_counted_with_what_was_before() -> None:
    together = Together()
    together.change(1, 0, DAY)
    together.forget(1)
    together.change(1, 1, DAY)
    assert together.others(1, DAY)[0].tolist() == []


def _question(number: int, by: str, thread: str, hours: float = 0.0) -> Enriched:
    return message(number, by, f"why does {about('chess', 2)} happen?", thread=thread, hours=hours)


def test_who_took_part_in_such_questions_of_others_is_asked_the_next_one() -> None:
    past = [_question(1, "ann", "first"), message(2, "bob", "because of the queen", thread="first", hours=1)]
    relevance = observed([*past, *talks({"sailing": ["cid"]})], Relevance(_only("answered_similar")))
    asked = trigger(_question(3, "zoe", "second", hours=100))
    assert "bob" in relevance.select(asked)
    ann, bob, cid = relevance.score(asked, ["ann", "bob", "cid"]).score
    assert bob > ann == cid == 0.5, "ann asked herself"
    found = relevance.explain(asked, "bob")
    assert found.kind == "answered"
    assert reason(found).startswith("You took part in the question “first” in room; both are about")


def test_a_statement_is_nothing_to_answer() -> None:
    past = [_question(1, "ann", "first"), message(2, "bob", "because of the queen", thread="first", hours=1)]
    relevance = observed(past, Relevance(_only("answered_similar")))
    asked = trigger(message(3, "zoe", about("chess", 2), thread="second", hours=100))
    assert relevance.score(asked, ["bob"]).score[0] == 0.5


def _rise() -> list[Enriched]:
    """Sailing comes up in the harbour for the first time in a quiet year; baking as often as ever."""
    steady = [
        message(n, "eve", about("baking", n), thread=f"b{n}", room="kitchen", hours=24 * 7 * n) for n in range(20)
    ]
    days = [24.0 * (133 + n) for n in range(6)]
    risen = [
        message(50 + n, "dee", about("sailing", 0), thread=f"s{n}", room="harbour", hours=h) for n, h in enumerate(days)
    ]
    return sorted([*steady, *risen], key=lambda one: one.activity.published)


def test_who_is_where_a_topic_rises_hears_of_it_elsewhere() -> None:
    relevance = observed(_rise(), Relevance(_only("rising_near")))
    asked = trigger(message(90, "zoe", about("sailing", 0), thread="new", room="elsewhere", hours=24 * 140))
    assert "dee" in relevance.select(asked)
    dee, eve = relevance.score(asked, ["dee", "eve"]).score
    assert dee > eve == 0.5
    found = relevance.explain(asked, "dee")
    assert (found.kind, set(found.words) <= set(about("sailing", 0).split())) == ("rising", True)
    assert reason(found) == f"It is about what comes up more of late where you are active: {', '.join(found.words)}."
    assert "harbour" not in reason(found)


def test_a_topic_that_comes_up_as_ever_does_not_rise() -> None:
    relevance = observed(_rise(), Relevance(_only("rising")))
    news, old = (
        message(90, "zoe", about(what, 0), thread=what, room="x", hours=24 * 140) for what in ("sailing", "baking")
    )
    risen, usual = (relevance.features([trigger(one)], [["eve"]])[0] for one in (news, old))
    assert _input(risen, "rising") > 3 * _input(usual, "rising")


def _input(features: Features, name: str) -> float:
    return float(features.inputs[0, NAMES.index(name)])


@pytest.mark.parametrize("kind", ["together", "answered", "rising"])
def test_a_reason_without_its_evidence_names_nothing(kind: str) -> None:
    said = reason(Explanation(kind))
    assert said.endswith(".")
    assert "“" not in said


def test_terms_and_places_of_a_trend_are_bounded() -> None:
    rising = Rising(terms=3)
    for number in range(9):
        rising.take([f"word{number}"], "room", DAY)
    assert rising.of({"word0": 1.0}, "elsewhere", DAY).places == ()
    for number in range(100):
        rising.take(["word8", "word8"], f"room {number}", DAY)
    assert len(rising.of({"word8": 1.0}, "elsewhere", DAY).places) <= 12
