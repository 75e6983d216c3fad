"""Each plain scorer finds what it looks for, where only that tells people apart, and knows nothing after T."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest

from services.common.model import Activity
from services.enrich.judge import asking, words
from services.enrich.judge.baselines import BASELINES
from services.enrich.judge.look import Look, look
from services.enrich.judge.metrics import Scores
from tests.unit.enrich.judge.made import Asked, busy, said


def asked(*more: Activity | list[Activity]) -> tuple[Asked, Look]:
    base = [busy(person, f"{person}'s") for person in ("ann", "bob", "cat")]
    found = Asked(*base, *more)
    return found, look(found.world, words.counts(found.world.texts), found.week)


def best(name: str, *more: Activity | list[Activity], thing: str = "new") -> str:
    """Return whom a scorer would sooner tell of the object, of Ann and Bob."""
    found, seen = asked(*more)
    scores: Scores = BASELINES[name](seen)[:, found.objects.index(thing)]
    of = {person: scores[found.people.index(person)] for person in ("ann", "bob")}
    return max(of, key=lambda person: of[person]) if of["ann"] != of["bob"] else "nobody"


QUESTION = said("cat", "new", 1, "the borrow checker rejects a closure", channel="help")


@pytest.mark.parametrize("name", ["tf-idf", "experts"])
def test_scorers_by_content_find_who_wrote_of_it(name: str) -> None:
    past = [
        said("ann", "x", -9, "bread and butter"),
        said("bob", "y", -9, "why does the borrow checker reject closures"),
    ]
    assert best(name, past, QUESTION) == "bob"


@pytest.mark.parametrize("name", ["als", "bpr", "pagerank"])
def test_scorers_by_participation_find_who_takes_part_where_the_author_does(name: str) -> None:
    shared = [said(by, f"talk {n}", -20 + n / 10) for n in range(15) for by in ("bob", "cat")]
    apart = [said(by, f"other {n}", -20 + n / 10) for n in range(15) for by in ("ann", "dan")]
    assert best(name, shared, apart, QUESTION) == "bob"


def test_item_item_finds_who_acts_where_those_of_the_container_act() -> None:
    both = [
        one
        for n in range(5)
        for one in (said("dan", f"h{n}", -9, channel="help"), said("dan", f"l{n}", -9, channel="lab"))
    ]
    assert best("item-item-cf", both, busy("bob", "lab", 5), busy("ann", "shed", 5), QUESTION) == "bob"


def test_recency_and_popularity_rank_objects_alike_for_all() -> None:
    found, seen = asked(busy("dan", "help", 9), QUESTION, said("cat", "later", 2, channel="shed"))
    new, later = found.objects.index("new"), found.objects.index("later")
    assert (BASELINES["recency"](seen)[:, later] > BASELINES["recency"](seen)[:, new]).all()
    assert (BASELINES["popularity"](seen)[:, new] > BASELINES["popularity"](seen)[:, later]).all()


@pytest.mark.parametrize("name", BASELINES)
def test_nothing_after_the_trigger_and_nothing_else_of_the_week_changes_a_score(name: str) -> None:
    """A later reply, and what the same people do elsewhere in the week, must not be known."""
    future: Sequence[Activity] = [
        said("bob", "new", 1.1, "closure"),
        said("dan", "new", 2, "and @bob?", mentions=["bob"]),
        *busy("bob", "help", 5, day=1.5),
    ]
    found, seen = asked(said("bob", "y", -9, "borrow checker"), QUESTION)
    later, seen_later = asked(said("bob", "y", -9, "borrow checker"), QUESTION, list(future))
    before = BASELINES[name](seen)[:, found.objects.index("new")]
    after = BASELINES[name](seen_later)[:, later.objects.index("new")]
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_what_may_be_known_holds_no_event_from_t_on() -> None:
    _, seen = asked(QUESTION)
    assert seen.time.max() < seen.start
    assert seen.event.max() == seen.said.shape[0] - 1
    assert {one.name for one in fields(seen)}.isdisjoint({"week", "world"})


def test_several_processes_answer_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = asked(said("bob", "y", -9, "borrow checker"), QUESTION)
    [(about, alone)] = asking.answers(found.world, [found.week])
    monkeypatch.setattr(asking, "_WORTH_PROCESSES", 1)
    [(same, beside)] = asking.answers(found.world, [found.week])
    np.testing.assert_allclose(same.novelty, about.novelty)
    for name, scores in alone.items():
        np.testing.assert_allclose(beside[name], scores, atol=1e-4, err_msg=name)
