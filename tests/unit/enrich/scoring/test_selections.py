"""What a person is given, over a log in memory: budgets, withdrawals, and the same list whatever happens on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from services.common import topics
from services.common.access import AccessState
from services.common.bus import Outgoing, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Visibility
from services.common.recommendation import Evidence, Recommendation, recommendation_in, recommendation_out
from services.common.topics import TOPICS, Topic
from services.enrich.people import People
from services.enrich.scoring.noticed import Noticed
from services.enrich.scoring.selections import Rules, Selections, withdrawn, without_evidence
from services.enrich.scoring.views import Feedback, Left
from tests.unit.enrich.made import NOON

_recommendations, _feedback = Codec("recommendation"), Codec("feedback")


def candidate(number: int, score: float = 1.0, **more: Any) -> Recommendation:
    return Recommendation(
        **{
            "person": "ann",
            "object": f"o{number}",
            "score": score,
            "terms": {"words": score},
            "reason": f"because of old{number}",
            "plain": "because of something",
            "container": f"c{number}",
            "evidence": (Evidence(f"old{number}", "c0"),),
            "author": "carl",
            "published": NOON,
            **more,
        }
    )


def public(id_: str, visibility: Visibility = Visibility.PUBLIC) -> Access:
    return Access(id=id_, kind=AccessKind.CONTAINER, visibility=visibility)


@dataclass
class Desk:
    """A worker over a log in memory, driven by hand."""

    bus: MemoryBus
    share: float = 0.0

    def __post_init__(self) -> None:
        self.noticed, self.access = Noticed(), AccessState()
        self.left = Left()
        self.left.listen(self.noticed.left)
        self.feedback = Feedback(self.bus, self.left, self.noticed.person)
        for number in range(12):
            self.access.apply(public(f"c{number}"))
        rules = Rules(
            access=self.access, people=People(), left=self.left, feedback=self.feedback, daily=3, share=self.share
        )
        self.selections = Selections(self.bus, rules, self.noticed)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        publisher = await self.bus.publisher()
        await publisher.publish(records)
        await publisher.stop()

    async def offer(self, *candidates: Recommendation) -> None:
        """Put candidates into the log and handle all of it once more from its beginning."""
        await self.publish(
            [
                Outgoing(
                    topic=topics.CANDIDATE.name("t."),
                    key=one.key,
                    value=_recommendations.encode(recommendation_out(one, NOON)),
                    place=one.person,
                )
                for one in candidates
            ]
        )
        records = await self.read(topics.CANDIDATE)
        await self.selections.ready(records)
        for record in records:
            self.selections.work(record)
        await self.settle()

    async def settle(self) -> None:
        await self.publish(self.selections.end())

    async def read(self, topic: Topic) -> Sequence[Received]:
        reader = await self.bus.reader()
        bounds = await reader.bounds(topic.name("t."))
        await reader.start_at({p: first for p, (first, _) in bounds.items()})
        return await reader.poll(limit=1_000, wait=0)

    async def published(self) -> list[Recommendation]:
        records = await self.read(topics.RECOMMENDATION)
        return [recommendation_in(_recommendations.decode(one.value)) for one in records if one.value is not None]

    async def standing(self) -> dict[str, Recommendation]:
        newest = {one.object: one for one in await self.published()}
        return {key: one for key, one in newest.items() if not one.withdrawn}

    def acts(self, subject: str, kind: str, **more: Any) -> None:
        record = {"person": "ann", "subject": subject, "kind": kind, "at": NOON, **more}
        self.feedback.hear(_feedback.decode(_feedback.encode(record)))


@pytest.fixture
async def desk() -> Desk:
    bus = MemoryBus("t.")
    admin = await bus.admin()
    await admin.apply(TOPICS)
    return Desk(bus)


async def test_the_best_of_each_day_are_given_once_whatever_is_repeated(desk: Desk) -> None:
    await desk.offer(*(candidate(n, n / 10) for n in range(1, 6)))
    await desk.offer(*(candidate(n, n / 10) for n in range(1, 6)))
    await desk.offer(candidate(6, 0.05, published=NOON + timedelta(days=1)))
    assert sorted(await desk.standing()) == ["o3", "o4", "o5", "o6"]
    assert len(await desk.published()) == 4


async def test_a_better_one_displaces_the_worst_and_the_log_says_why(desk: Desk) -> None:
    await desk.offer(*(candidate(n, n / 10) for n in range(1, 4)))
    await desk.offer(candidate(9, 0.9))
    assert sorted(await desk.standing()) == ["o2", "o3", "o9"]
    [gone] = [one for one in await desk.published() if one.withdrawn]
    assert (gone.object, gone.why, gone.reason, gone.terms) == ("o1", "displaced", "", {})


async def test_another_worker_goes_on_where_the_first_was_killed(desk: Desk) -> None:
    await desk.offer(*(candidate(n, n / 10) for n in range(1, 4)))
    other = Desk(desk.bus)
    await other.offer(candidate(9, 0.9))
    assert sorted(await desk.standing()) == ["o2", "o3", "o9"]
    assert len([one for one in await desk.published() if not one.withdrawn]) == 4


async def test_what_was_not_published_before_a_kill_is_published_after_it(desk: Desk) -> None:
    await desk.offer(candidate(1))
    await desk.publish([_tombstone(topics.RECOMMENDATION, "ann|o1")])
    again = Desk(desk.bus)
    await again.selections.load(record.partition.number for record in await desk.read(topics.CANDIDATE))
    await again.settle()
    assert [one.object for one in await desk.published()] == ["o1", "o1"]


def _tombstone(topic: Topic, key: str) -> Outgoing:
    return Outgoing(topic=topic.name("t."), key=key, value=None, place=key.partition("|")[0])


async def test_a_deleted_object_is_taken_back_and_lost_evidence_leaves_a_poorer_reason(desk: Desk) -> None:
    await desk.offer(candidate(1), candidate(2))
    await desk.offer(withdrawn(candidate(1), "deleted"), without_evidence(candidate(2)))
    [left] = (await desk.standing()).values()
    assert (left.object, left.reason, left.evidence) == ("o2", "because of something", ())


async def test_a_closed_place_is_taken_back_without_a_new_candidate(desk: Desk) -> None:
    await desk.offer(candidate(1), candidate(2))
    desk.access.apply(public("c1", Visibility.RESTRICTED))
    desk.noticed.place("c1")
    await desk.settle()
    assert list(await desk.standing()) == ["o2"]
    assert [one.why for one in await desk.published() if one.withdrawn] == ["closed"]


@pytest.mark.parametrize("who", ["ann", "carl"])
async def test_who_opts_out_is_neither_recommended_to_nor_recommended(desk: Desk, who: str) -> None:
    await desk.offer(candidate(1))
    desk.left.say(who, "person.v1", left=True)
    await desk.settle()
    assert await desk.standing() == {}
    desk.left.say(who, "person.v1", left=False)
    await desk.settle()
    assert list(await desk.standing()) == ["o1"]


async def test_a_reason_that_rests_on_somebody_who_opted_out_becomes_poorer(desk: Desk) -> None:
    await desk.offer(candidate(1, people=("bob",)))
    desk.left.say("bob", "erasure.v1", left=True)
    await desk.settle()
    one = (await desk.standing())["o1"]
    assert (one.reason, one.people, one.evidence) == ("because of something", (), ())


@pytest.mark.parametrize("subject", ["o1", "thread1", "c1", "carl"])
async def test_a_mute_of_thing_conversation_place_or_person_holds_until_it_is_undone(desk: Desk, subject: str) -> None:
    await desk.offer(candidate(1, thread="thread1"))
    desk.acts(subject, "mute")
    await desk.settle()
    assert await desk.standing() == {}
    desk.acts(subject, "mute", undone=True)
    await desk.settle()
    assert list(await desk.standing()) == ["o1"]


async def test_what_was_shown_stays_and_what_was_met_elsewhere_goes(desk: Desk) -> None:
    await desk.offer(candidate(1, 0.1), candidate(2, 0.2), candidate(3, 0.3))
    desk.acts("o1", "seen", surface="for-you")
    desk.acts("o2", "opened", surface="search")
    await desk.offer(*(candidate(n, 0.9) for n in (7, 8, 9)))
    assert sorted(await desk.standing()) == ["o1", "o7", "o8"]
    assert {one.object: one.why for one in await desk.published() if one.withdrawn} == {"o2": "seen", "o3": "displaced"}


async def test_more_of_a_place_is_a_term_of_the_score(desk: Desk) -> None:
    desk.acts("o7", "more", container="c1")
    await desk.offer(candidate(1, 0.5))
    one = (await desk.standing())["o1"]
    assert one.terms == {"words": 0.5, "your feedback": 0.5}
    assert one.score == sum(one.terms.values())


async def test_the_oldest_make_room_and_stand_no_more(desk: Desk) -> None:
    days = [candidate(n, published=NOON + timedelta(days=n), container="c1") for n in range(100)]
    await desk.offer(*days)
    standing = await desk.standing()
    assert len(standing) == 60
    assert f"o{99}" in standing
    assert "o0" not in standing
    assert {one.why for one in await desk.published() if one.withdrawn} <= {"old"}


async def test_what_comes_piece_by_piece_is_selected_as_what_comes_at_once(desk: Desk) -> None:
    draw = Random(1)
    times = [NOON + timedelta(days=draw.randrange(40), seconds=n) for n in range(140)]
    found = [candidate(n, draw.random(), container=f"c{n % 12}", published=at) for n, at in enumerate(times)]
    found += [withdrawn(one, "joined") for one in draw.sample(found, 20)]
    at_once = Desk(MemoryBus("t."))
    await at_once.offer(*found)
    for start in range(0, len(found), 9):
        await desk.offer(*found[start : start + 9])
    assert (await desk.standing()).keys() == (await at_once.standing()).keys()


async def test_what_is_held_out_is_logged_and_marked(desk: Desk) -> None:
    held = Desk(desk.bus, share=1.0)
    await held.offer(candidate(1))
    assert [one.held_out for one in await desk.published()] == [True]


async def test_a_partition_that_went_to_another_worker_is_forgotten(desk: Desk) -> None:
    await desk.offer(candidate(1))
    desk.selections.forget()
    desk.left.say("ann", "person.v1", left=True)
    await desk.settle()
    assert list(await desk.standing()) == ["o1"]


def test_a_record_of_the_first_version_rests_on_evidence_of_which_the_place_is_unknown() -> None:
    record = recommendation_out(candidate(1), NOON) | {"evidenceContainers": []}
    assert recommendation_in(record).evidence == (Evidence("old1", ""),)
    assert replace(recommendation_in(record), evidence=candidate(1).evidence) == candidate(1)
