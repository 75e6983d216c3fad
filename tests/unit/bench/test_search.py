"""Known items: which there are, and what a rank is worth."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.search import BODY, LATER, items_of, mrr, ndcg, rank_of, without_title
from services.common.model import Account, Activity, ActivityType, Container, Object, Provenance
from services.common.search.fusion import Candidate

AT = datetime(2026, 3, 1, tzinfo=UTC)


def act(id_: str, title: str = "A title of words", who: str = "ann", place: str = "p", **more: Any) -> Activity:
    thing = Object(id=id_, type="Commit", title=title, content=f"{title}\n\n{'body ' * BODY}")
    return Activity(
        id=f"{id_}#{who}",
        type=ActivityType.CREATE,
        verb="git.commit",
        published=AT + timedelta(days=more.get("day", 0)),
        actor=Account(id=who),
        object=thing,
        context=(Container(id=place, type="Repository"),),
        provenance=Provenance(source="git"),
    )


def test_an_item_is_looked_for_by_who_acted_on_it_last_from_the_places_of_their_other_acts() -> None:
    found = items_of([act("x"), act("x", who="bob", day=3), act("y", title="Quite another one", who="bob", place="q")])
    item = next(one for one in found if one.object == "x")
    assert (item.person, item.places, item.at) == ("bob", ("q",), AT + timedelta(days=3) + LATER)


@pytest.mark.parametrize("other", [act("y"), act("y", title="A  TITLE of, words")])
def test_a_title_that_two_have_is_no_question(other: Activity) -> None:
    assert items_of([act("x"), other]) == []


def test_the_title_is_hidden_in_the_text_too() -> None:
    shown = without_title(act("x")).object
    assert (shown.title, "title" in shown.content) == ("", False)


def test_what_a_rank_is_worth() -> None:
    ranked = [Candidate("a"), Candidate("b")]
    assert [rank_of(one, ranked) for one in ("a", "b", "c")] == [1, 2, 0]
    assert mrr([1, 2, 0]) == 0.5
    assert ndcg([1, 0, 11]) == pytest.approx(1 / 3)
