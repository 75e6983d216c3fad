"""Whom it may help, and what the log means for scoring: over the real scorer, with a handful of people."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from services.common import envelope, topics
from services.common.bus import Outgoing, Partition, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import ActivityType, Container, Enriched
from services.common.recommendation import Evidence, Recommendation, recommendation_in
from services.common.records import enriched_out
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.scoring.activities import Scoring
from services.enrich.scoring.issued import Issued
from services.enrich.scoring.recommend import Asked, Recommender
from services.enrich.scoring.relevance import Relevance
from services.enrich.scoring.replay import Item
from services.enrich.scoring.views import Left
from tests.unit.enrich.made import NOON, activity

OTHER = Container(id="chat:other", type="Channel", name="other")
WORDS = "The incremental parser drops trailing tokens when the lexer buffer wraps"
_enriched, _recommendation = Codec("enriched"), Codec("recommendation")
_offsets = count()


def said(number: int, text: str, by: str, *, other: bool = False, **changes: Any) -> Enriched:
    one = activity(number, text, by=by, hours=number)
    if other:
        one = replace(one, context=(OTHER,), audience=replace(one.audience, container=OTHER.id))
    [found] = enrich([one], Knowledge())
    return replace(found, **changes)


def known() -> list[Enriched]:
    """Ann has written about parsers in the room again and again; others talk about lunch elsewhere."""
    parsers = [said(n, f"{WORDS} part{n}", "ann") for n in range(8)]
    return parsers + [said(n, f"Lunch soup and salad day{n}", "dora", other=True) for n in range(10, 18)]


QUESTION = said(30, f"Why is it that {WORDS} again", "carl", other=True)
ANN = "chat:ann"


class Log:
    """What follows from a log that is handed over by hand."""

    def __init__(self, **asked: Any) -> None:
        self.left = Left()
        asking = {"may_open": lambda *_: True, "left": self.left.__contains__, "unit": lambda _: ""} | asked
        self.issued = Issued(MemoryBus("t."))
        self.scoring = Scoring(
            lambda: Recommender(Relevance(), Asked(**asking), least=0.0), self.issued, self.left, "t."
        )
        self.left.listen(self.scoring.leaves)

    def hand(self, *many: Enriched, wanted: bool = True, **headers: bytes) -> list[Outgoing]:
        items = [Item(as_record(one, headers), one, wanted) for one in many]
        return [out for outcome in self.scoring.handle(items) if isinstance(outcome, Sequence) for out in outcome]

    def offers(self, *many: Enriched, **more: Any) -> list[Recommendation]:
        """Return what Ann is offered, or what is taken back from her."""
        out = [one for one in self.hand(*many, **more) if one.topic == topics.CANDIDATE.name("t.")]
        found = [recommendation_in(_recommendation.decode(one.value or b"")) for one in out]
        return [one for one in found if one.person == ANN]


def as_record(one: Enriched, headers: dict[str, bytes]) -> Received:
    value = _enriched.encode(enriched_out(one))
    where = Partition("t.enriched.v1", 0)
    return Received(
        partition=where, offset=next(_offsets), key=one.activity.id, value=value, headers=headers, timestamp=2**40
    )


@pytest.fixture
def log() -> Log:
    found = Log()
    found.hand(*known())
    return found


def test_who_worked_on_similar_things_elsewhere_is_told_with_reason_and_terms(log: Log) -> None:
    [one] = log.offers(QUESTION)
    assert (one.person, one.object, one.container, one.author) == (ANN, "chat:30", OTHER.id, "chat:carl")
    assert one.score == pytest.approx(sum(one.terms.values()))
    assert one.reason
    assert one.plain
    assert not any(thing.object in one.plain or "incremental" in one.plain for thing in one.evidence)
    assert {thing.object for thing in one.evidence} <= {f"chat:{n}" for n in range(8)}


def test_a_mistake_about_one_activity_stops_no_other(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Relevance.look_around

    def wrong(self: Relevance, trigger: Any) -> None:
        if trigger.object == "chat:99":
            raise KeyError(trigger.object)
        real(self, trigger)

    monkeypatch.setattr(Relevance, "look_around", wrong)
    bad = said(29, "Something that nobody expected", "eve", other=True)
    bad = replace(bad, activity=replace(bad.activity, id="bad", object=replace(bad.activity.object, id="chat:99")))
    items = [Item(as_record(one, {}), one, True) for one in (bad, QUESTION)]
    rejected, outgoing = log.scoring.handle(items)
    assert isinstance(rejected, Reject)
    assert outgoing


def test_how_the_log_is_cut_changes_nothing() -> None:
    whole, cut = Log(), Log()
    at_once = whole.offers(*known(), QUESTION)
    one_by_one = [offer for one in (*known(), QUESTION) for offer in cut.offers(one)]
    assert at_once
    assert one_by_one == at_once


def test_a_repetition_recommends_nothing_again(log: Log) -> None:
    assert log.offers(QUESTION)
    assert log.offers(QUESTION, *known(), QUESTION) == []


@pytest.mark.parametrize("mark", [envelope.REDELIVERED, envelope.CORRECTED])
def test_neither_an_old_repetition_nor_a_correction_is_news(log: Log, mark: str) -> None:
    assert log.offers(QUESTION, **{mark: b"1"}) == []


def test_what_is_another_workers_is_taken_in_and_leads_to_nothing(log: Log) -> None:
    assert log.hand(QUESTION, wanted=False) == []
    assert Log().hand(*known(), wanted=False) == []


def test_who_is_at_home_there_is_not_told(log: Log) -> None:
    log.hand(*(said(n, f"salad with bread day{n}", "ann", other=True) for n in range(20, 24)))
    assert log.offers(QUESTION) == []


@pytest.mark.parametrize(
    "changes", [{"person": ANN}, {"coauthor_people": (ANN,)}, {"mention_people": (ANN,)}, {"automated": True}]
)
def test_who_has_to_do_with_it_is_not_told_and_bots_begin_nothing(log: Log, changes: dict[str, Any]) -> None:
    assert log.offers(replace(QUESTION, **changes)) == []


def test_only_what_begins_something_is_news_and_a_week_of_silence_makes_a_beginning(log: Log) -> None:
    assert log.offers(QUESTION)
    answer = said(31, f"{WORDS} since yesterday", "eve", other=True)
    answer = replace(answer, activity=replace(answer.activity, object=QUESTION.activity.object))
    assert log.offers(answer) == []
    later = said(31 + 8 * 24, f"{WORDS} once more", "eve", other=True)
    later = replace(later, activity=replace(later.activity, object=QUESTION.activity.object))
    assert [one.person for one in log.offers(later)] == [ANN]


def test_history_that_comes_late_is_no_news(log: Log) -> None:
    assert log.offers(said(-15 * 24, f"Why is it that {WORDS} again", "carl", other=True)) == []


def test_nothing_that_the_person_may_not_open_is_recommended_or_named() -> None:
    closed = Log(may_open=lambda _, container, __: container != OTHER.id)
    assert closed.offers(*known(), QUESTION) == []
    no_evidence = Log(may_open=lambda _, container, __: container == OTHER.id)
    [one] = no_evidence.offers(*known(), QUESTION)
    assert one.evidence == ()
    assert "“" not in one.reason  # no title is quoted


def test_a_deletion_takes_back_what_was_recommended_and_its_text_from_reasons(log: Log) -> None:
    [one] = log.offers(QUESTION)
    log.issued.add(replace(one, reason="You worked on part 3", evidence=(Evidence("chat:3", "chat:room"),)))
    [poorer] = log.offers(replace(known()[3], text=""), **{envelope.REDACTED: b"1"})
    assert (poorer.key, poorer.reason, poorer.evidence) == (one.key, one.plain, ())
    deleted = replace(QUESTION, activity=replace(QUESTION.activity, type=ActivityType.DELETE, id="chat:30#delete"))
    [gone] = log.offers(deleted)
    assert (gone.key, gone.withdrawn, gone.why, gone.reason) == (one.key, True, "deleted", "")


@pytest.mark.parametrize("by", ["taking part", "being mentioned"])
def test_who_comes_to_it_otherwise_is_recommended_it_no_more(log: Log, by: str) -> None:
    [one] = log.offers(QUESTION)
    answer = said(31, "Thanks for asking", "ann" if by == "taking part" else "eve", other=True)
    answer = replace(
        answer,
        activity=replace(answer.activity, object=QUESTION.activity.object),
        mention_people=(ANN,) if by == "being mentioned" else (),
    )
    [gone] = log.offers(answer)
    assert (gone.key, gone.withdrawn, gone.why) == (one.key, True, "joined")


def test_who_comes_to_it_before_it_is_even_scored_is_not_told_of_it(log: Log) -> None:
    answer = said(31, "I had this too", "ann", other=True)
    at_once = replace(answer.activity, object=QUESTION.activity.object, published=QUESTION.activity.published)
    assert log.offers(QUESTION, replace(answer, activity=at_once)) == []


def test_who_leaves_is_forgotten_and_not_learnt_again(log: Log) -> None:
    log.left.say(ANN, "person.v1", left=True)
    assert log.offers(QUESTION) == []
    contributions = [one for one in log.hand(known()[0]) if one.topic == topics.CONTRIBUTION.name("t.")]
    assert contributions == []
    begun_anew = Log()
    begun_anew.left.say(ANN, "person.v1", left=True)
    assert begun_anew.offers(*known(), QUESTION) == []


def test_contributions_say_only_what_their_activity_says(log: Log) -> None:
    one = said(40, "Text about parsers and lexers", "eve", mention_people=("chat:bob",))
    out = [each for each in log.hand(one) if each.topic == topics.CONTRIBUTION.name("t.")]
    assert [each.key for each in out] == ["chat:eve|chat:40#chat.message"]
    record = Codec("contribution").decode(out[0].value or b"")
    assert (record["people"], record["published"], "parsers" in record["terms"]) == (
        ["chat:bob"],
        NOON + (one.activity.published - NOON),
        True,
    )


def test_what_was_taken_back_is_taken_back_once_and_anew_where_that_came_to_nothing(log: Log) -> None:
    assert log.offers(QUESTION)
    answers = [said(number, "Thanks for asking", "ann", other=True) for number in (31, 32)]
    answers = [replace(one, activity=replace(one.activity, object=QUESTION.activity.object)) for one in answers]
    assert [one.withdrawn for one in log.offers(*answers)] == [True]
    log.scoring.begin()  # the log is read again, since partitions were dealt anew before this was stored
    log.hand(*known(), QUESTION, wanted=False)
    assert [one.withdrawn for one in log.offers(*answers)] == [True]
