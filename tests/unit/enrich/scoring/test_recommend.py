from dataclasses import replace

import pytest

from services.common.model import Container, Enriched
from services.common.recommendation import Recommendation
from services.enrich.scoring.past import History
from services.enrich.scoring.recommend import Asked, at_home, recommend
from tests.unit.enrich.made import NOON, activity

OTHER = Container(id="chat:other", type="Channel", name="other")
WORDS = "The incremental parser drops trailing tokens when the lexer buffer wraps"
ALL = Asked(lambda *_: True, lambda _: {}, lambda _: False)


def said(number: int, text: str, by: str, *, other: bool = False, **changes: object) -> Enriched:
    one = activity(number, text, by=by, hours=number)
    if other:
        one = replace(one, context=(OTHER,), audience=replace(one.audience, container=OTHER.id))
    return replace(
        Enriched(activity=one, person=f"p:{by}", text=text, thread=one.object.id),
        **changes,  # type: ignore[arg-type]
    )


def knowing() -> History:
    """Ann has written about parsers three times in the room; others talk about lunch elsewhere."""
    history = History()
    for number in range(3):
        history.add(said(number, f"{WORDS} part{number}", "ann"))
    for number in range(10, 16):
        history.add(said(number, f"Lunch soup and salad day{number}", "dora", other=True))
    return history


def asked(history: History, one: Enriched, may: Asked = ALL) -> list[Recommendation]:
    history.add(one)
    return recommend(one, history, may)


QUESTION = said(30, f"Why is it that {WORDS} again", "carl", other=True)


def test_who_worked_on_similar_things_elsewhere_is_told_with_reason_and_terms() -> None:
    [one] = asked(knowing(), QUESTION)
    assert (one.person, one.object, one.container) == ("p:ann", "chat:30", OTHER.id)
    assert one.score == pytest.approx(sum(one.terms.values()))
    assert one.reason.startswith("You worked on “The incremental parser")
    assert {thing.object for thing in one.evidence} <= {"chat:0", "chat:1", "chat:2"}


def test_a_repetition_of_the_history_changes_nothing() -> None:
    twice = knowing()
    for number in range(3):
        twice.add(said(number, f"{WORDS} part{number}", "ann"))
    assert asked(twice, QUESTION) == asked(knowing(), QUESTION)


def test_who_is_at_home_there_is_not_told() -> None:
    history = knowing()
    for number in range(16, 19):
        history.add(said(number, f"salad with bread day{number}", "ann", other=True))
    assert at_home("p:ann", OTHER.id, history)
    assert asked(history, QUESTION) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "p:ann"},
        {"coauthor_people": ("p:ann",)},
        {"mention_people": ("p:ann",)},
        {"automated": True},
    ],
)
def test_who_has_to_do_with_it_is_not_told_and_bots_begin_nothing(changes: dict[str, object]) -> None:
    assert asked(knowing(), replace(QUESTION, **changes)) == []  # type: ignore[arg-type]


def test_only_the_first_activity_of_an_object_is_a_trigger() -> None:
    history = knowing()
    assert asked(history, QUESTION)
    answer = said(31, f"{WORDS} since yesterday", "eve", other=True)
    answer = replace(answer, activity=replace(answer.activity, object=QUESTION.activity.object))
    assert asked(history, answer) == []


def test_what_comes_later_is_not_used() -> None:
    history = knowing()
    early = said(-5, f"Why is it that {WORDS} again", "carl", other=True)
    assert asked(history, early) == []


def test_nothing_that_the_person_may_not_open_is_recommended_or_named() -> None:
    closed = Asked(lambda _, container, __: container != OTHER.id, lambda _: {}, lambda _: False)
    assert asked(knowing(), QUESTION, closed) == []
    no_evidence = Asked(lambda _, container, __: container == OTHER.id, lambda _: {}, lambda _: False)
    assert asked(knowing(), QUESTION, no_evidence) == []


def test_who_opted_out_is_left_alone() -> None:
    assert asked(knowing(), QUESTION, Asked(lambda *_: True, lambda _: {}, lambda _: True)) == []


def test_a_fitting_profile_adds_to_the_score() -> None:
    fitting = Asked(lambda *_: True, lambda _: {"parser": 3.0, "lexer": 2.0}, lambda _: False)
    [plain], [better] = asked(knowing(), QUESTION), asked(knowing(), QUESTION, fitting)
    assert better.terms["profile"] > plain.terms["profile"] == 0.0


def test_withdrawn_objects_neither_give_nor_get_recommendations() -> None:
    history = knowing()
    for number in range(3):
        history.withdraw(f"chat:{number}")
    assert asked(history, QUESTION) == []
    history = knowing()
    history.add(QUESTION)
    history.withdraw("chat:30")
    assert recommend(QUESTION, history, ALL) == []


def test_a_thread_counts_as_one_object() -> None:
    thread = Container(id="t1", type="Thread", name="Parser trouble")
    one = said(0, f"{WORDS} first", "ann")
    one = replace(one, thread="t1", activity=replace(one.activity, context=(*one.activity.context, thread)))
    history = History()
    history.add(one)
    past = history.object("t1")
    assert past is not None
    assert past.title == "Parser trouble"


def test_memory_is_bounded() -> None:
    history = History(objects=5, actions=4)
    for number in range(50):
        history.add(said(number, f"{WORDS} number{number} thing{number}", f"by{number}"))
    assert len(history.similar) == 5
    assert len(history._objects) <= 10
    assert [history.actions(f"p:by{n}") for n in range(44, 50)] == [0, 0, 1, 1, 1, 1]


def test_days_and_keys() -> None:
    one = Recommendation(person="p", object="o", published=NOON)
    assert (one.key, one.day) == ("p|o", 20_513)
