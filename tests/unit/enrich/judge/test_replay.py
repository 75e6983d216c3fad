"""The product is replayed as it would have run: asked at T before it hears of the week, then hears all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.common.model import Activity, Enriched, micros
from services.enrich.judge.metrics import Scores
from services.enrich.judge.replay import Question, Replay
from services.enrich.judge.weeks import WEEK, week
from services.enrich.judge.world import Builder
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.steps.identity import find_people
from services.enrich.steps.mentions import resolve_mentions
from services.enrich.steps.thread import find_thread
from tests.unit.enrich.judge.made import T, busy, committed, said

_BUSY = [one for person in ("ann", "bob", "cat") for one in busy(person, f"{person}'s")]


@dataclass
class Diary:
    """A product that writes down what it hears and is asked; it scores by how often it has heard of a person."""

    heard: list[str] = field(default_factory=list)
    asked: dict[int, list[Question]] = field(default_factory=dict)
    heard_before: dict[int, list[str]] = field(default_factory=dict)

    def observe(self, one: Enriched) -> None:
        self.heard.append(one.activity.id)

    def answer(self, start: int, questions: Sequence[Question]) -> Mapping[str, Sequence[Scores]]:
        self.asked[start] = list(questions)
        self.heard_before[start] = list(self.heard)
        return {"one": [np.arange(len(question.people), dtype=float) for question in questions]}


def replayed(
    activities: Sequence[Activity], starts: Sequence[int], batch: int = 7
) -> tuple[Diary, Replay, list[Enriched]]:
    ordered = sorted(activities, key=lambda one: one.published)
    enriched = enrich(ordered, Knowledge(), (find_people, find_thread, resolve_mentions), ())
    builder, diary = Builder(), Diary()
    replay = Replay(diary, starts, builder.world)
    for begin in range(0, len(enriched), batch):
        builder.add(enriched[begin : begin + batch])
        replay.take(enriched[begin : begin + batch])
    replay.end()
    return diary, replay, enriched


def test_at_t_nothing_after_t_was_heard_and_in_the_end_everything_once_in_order() -> None:
    told = [
        *_BUSY,
        said("ann", "a", 1),
        said("bob", "b", 8),
        said("cat", "c", 9),
        said("bob", "d", 15),
        said("ann", "e", 40),
    ]
    diary, _, enriched = replayed(told, [T, T + WEEK, T + 3 * WEEK])
    by_id = {one.activity.id: micros(one.activity.published) for one in enriched}
    for start, heard in diary.heard_before.items():
        assert heard == [one for one, at in by_id.items() if at <= start]
    assert diary.heard == list(by_id)


def test_each_trigger_is_asked_with_the_event_itself_and_its_unexpected_candidates() -> None:
    told = [*_BUSY, said("ann", "a", 1), said("bob", "a", 2), committed("ann", 3, "x/y.py", "z/q.py")]
    diary, replay, _ = replayed(told, [T])
    questions = {one.thing.object: one for one in diary.asked[T]}
    assert set(questions) == {"a", "code:x", "code:z"}
    assert questions["a"].trigger.activity.id == told[-3].id
    assert sorted(questions["a"].people) == ["bob", "cat"]
    assert replay.answers[T]["one"].shape == (3, 3)


def test_scores_stand_where_the_week_has_its_candidates_and_nowhere_else() -> None:
    told = [*_BUSY, said("ann", "a", 1), said("bob", "b", 2, mentions=["cat"])]
    _, replay, enriched = replayed(told, [T])
    builder = Builder()
    builder.add(enriched)
    of = week(builder.world(), T)
    assert (np.isfinite(replay.answers[T]["one"]) == of.candidates).all()


def test_a_week_in_which_nothing_comes_up_is_answered_too() -> None:
    diary, replay, _ = replayed([*_BUSY, said("ann", "late", 30)], [T, T + WEEK])
    assert list(replay.answers) == [T, T + WEEK]
    assert diary.asked[T] == []
