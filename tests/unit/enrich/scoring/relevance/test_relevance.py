"""The scorer in small worlds: who comes first, what counts once, what is forgotten."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.common.model import Enriched
from services.enrich.scoring.relevance import Limits, Relevance, Weights, reason
from tests.unit.enrich.scoring.relevance.worlds import SUBJECTS, about, message, observed, talks, trigger

GROUPS = {"baking": ("ann", "bob"), "sailing": ("cid", "dee"), "chess": ("eve", "fay")}
EVERYBODY = ["ann", "bob", "cid", "dee", "eve", "fay"]


def _new(subject: str, by: str = "zoe", **changes: Any) -> Enriched:
    return message(900, by, about(subject, 4, 8), thread="news", room="elsewhere", hours=100, **changes)


@pytest.mark.parametrize("weights", [Weights.shipped(), Weights.untrained()], ids=lambda weights: weights.name)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_who_talked_about_it_comes_first(subject: str, weights: Weights) -> None:
    relevance = observed(talks(GROUPS), Relevance(weights))
    scores = relevance.score(trigger(_new(subject)), EVERYBODY)
    best = {EVERYBODY[place] for place in np.argsort(-scores.score)[:2]}
    assert best == set(GROUPS[subject])


def test_contributions_add_up_to_the_score() -> None:
    relevance = observed(talks(GROUPS))
    one = relevance.score(trigger(_new("chess")), EVERYBODY).of(4)
    logit = relevance.weights.bias + sum(one.contributions.values())
    assert one.score == pytest.approx(1 / (1 + np.exp(-logit)))


def test_the_same_activity_counts_once() -> None:
    once, twice = observed(talks(GROUPS)), observed([one for one in talks(GROUPS) for _ in range(2)])
    asked = trigger(_new("sailing"))
    assert (once.score(asked, EVERYBODY).contributions == twice.score(asked, EVERYBODY).contributions).all()
    assert twice.actions("ann") == once.actions("ann") == 12


def test_batches_give_the_same_scores_as_single_questions() -> None:
    relevance = observed(talks(GROUPS))
    asked = [trigger(_new(subject)) for subject in SUBJECTS]
    people = [EVERYBODY, EVERYBODY[2:], ["nobody", "ann"]]
    for scores, one, those in zip(relevance.score_batch(asked, people), asked, people, strict=True):
        assert (scores.score == relevance.score(one, those).score).all()


def test_candidates_are_neither_the_author_nor_the_mentioned_nor_those_who_are_there() -> None:
    relevance = observed(talks(GROUPS))
    relevance.observe(message(899, "fay", about("chess", 1), thread="news", room="elsewhere", hours=99))
    found = relevance.select(trigger(_new("chess", by="ann", mentioned=("bob",))))
    assert "eve" in found
    assert not {"ann", "bob", "fay"} & set(found)


def test_the_gate_is_a_hundredth_of_the_actions_and_three_at_least() -> None:
    relevance = observed(talks(GROUPS, count=2))
    assert relevance.gate("ann", "baking")
    relevance = observed(talks(GROUPS, count=3))
    assert not relevance.gate("ann", "baking")
    assert relevance.gate("ann", "sailing")


def test_actions_leave_after_a_year() -> None:
    relevance = observed([*talks(GROUPS), message(800, "ann", "hello there", hours=366 * 24)])
    assert relevance.actions("ann") == 1
    assert relevance.actions("ann", "baking") == 0
    assert relevance.gate("ann", "baking")


def test_withdrawn_texts_are_found_no_more() -> None:
    relevance = observed(talks(GROUPS))
    for turn in range(12):
        relevance.withdraw(f"chess {turn}")
    asked = trigger(_new("chess"))
    assert relevance.explain(asked, "eve").evidence == ()
    assert relevance.features([asked], [["eve"]])[0].inputs[0, 0] == 0.0


def test_a_withdrawn_message_takes_its_threads_words_with_it_until_more_is_said() -> None:
    relevance = observed([message(1, "ann", about("chess", 0), thread="t"), message(2, "bob", "well", thread="t")])
    relevance.withdraw("chat:2")
    asked = trigger(_new("chess"))
    assert relevance.features([asked], [["ann"]])[0].inputs[0, 0] == 0.0
    relevance.observe(message(3, "ann", about("chess", 2), thread="t", hours=1))
    assert relevance.features([asked], [["ann"]])[0].inputs[0, 0] > 0.0


def test_a_forgotten_person_is_a_newcomer() -> None:
    relevance = observed(talks(GROUPS))
    relevance.forget("eve")
    asked = trigger(_new("chess"))
    scores = relevance.score(asked, ["eve", "nobody"])
    assert scores.score[0] == scores.score[1]
    assert "eve" not in relevance.select(asked)
    assert relevance.actions("eve") == 0


def test_a_corrected_identity_moves_what_was_done() -> None:
    events = talks(GROUPS)
    corrected = [replace(one, person="gus") for one in events if one.person == "ann"]
    moved = observed([*events, *corrected, *corrected])
    assert moved.actions("ann") == 0
    assert moved.actions("gus", "baking") == 12
    assert "gus" in moved.select(trigger(_new("baking")))


def test_a_newcomer_with_follows_is_a_candidate_with_true_reasons() -> None:
    relevance = observed(talks(GROUPS))
    relevance.follow("new", "person", "zoe")
    relevance.follow("new", "tag", "Gambit")
    asked = trigger(_new("chess"))
    assert "new" in relevance.select(asked)
    plain, followed = relevance.score(asked, ["nobody", "new"]).score
    assert followed > plain
    assert relevance.explain(asked, "new").kind in ("followed-person", "followed-tag")
    relevance.follow("new", "person", "zoe", on=False)
    relevance.follow("new", "tag", "gambit", on=False)
    assert "new" not in relevance.select(asked)


def test_one_follows_people_places_and_tags_only() -> None:
    with pytest.raises(ValueError, match="not a galaxy"):
        Relevance().follow("ann", "galaxy", "M31")


def test_memory_is_bounded() -> None:
    relevance = Relevance(limits=Limits(objects=20, actions=50, people=10))
    observed((message(n, f"p{n % 30}", about("chess", n), hours=n) for n in range(200)), relevance)
    state = relevance._state
    assert len(state.objects) == len(state.objects.index) == 20
    assert sum(map(state.here.size, state.here)) <= 50
    assert len(state.words) <= 10
    assert relevance.select(trigger(_new("chess")))


def test_an_empty_history_selects_nobody_and_scores_without_complaint() -> None:
    relevance = Relevance()
    asked = trigger(_new("chess"))
    assert relevance.select(asked) == []
    assert np.isfinite(relevance.score(asked, ["ann"]).score).all()


def test_a_reason_names_work_that_the_person_took_part_in() -> None:
    relevance = observed(talks(GROUPS))
    found = relevance.explain(trigger(_new("chess")), "eve")
    assert found.kind in ("similar", "words")
    taken = replace(found, evidence=(), people=(), words=())
    assert "chess" not in reason(taken)
    assert all(one.object.startswith("chess") for one in found.evidence)
