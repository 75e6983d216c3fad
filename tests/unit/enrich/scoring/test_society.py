"""Ties, meetings and trends over a log in memory: what is published, what is not, and what a new worker does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from services.common import envelope, topics
from services.common.access import AccessState
from services.common.bus import Outgoing, Publisher
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Enriched, Visibility
from services.common.records import enriched_out
from services.common.topics import Topic
from services.enrich.people import People
from services.enrich.scoring.society import Live, Surroundings
from services.enrich.scoring.views import Feedback, Left
from tests.fixtures.stack import eventually
from tests.unit.enrich.meeting.made import said
from tests.unit.enrich.meeting.test_introductions import world
from tests.unit.enrich.meeting.test_trends import talk, usual


@dataclass
class Log:
    """A log in memory, and what surrounds a worker that reads it."""

    bus: MemoryBus
    publisher: Publisher
    access: AccessState = field(default_factory=AccessState)
    left: Left = field(default_factory=Left)
    mine: bool = True

    def __post_init__(self) -> None:
        self.feedback = Feedback(self.bus, self.left)
        for container in ("chat:north", "chat:south", "chat:room", "chat:lab"):
            self.open(container)

    def open(self, container: str, *principals: str) -> None:
        visibility = Visibility.RESTRICTED if principals else Visibility.PUBLIC
        self.access.apply(Access(id=container, kind=AccessKind.CONTAINER, visibility=visibility, principals=principals))

    async def put(self, activities: list[Enriched], *, redacted: bool = False) -> None:
        codec = Codec("enriched")
        await self.publisher.publish(
            Outgoing(
                topic=topics.ENRICHED.name(self.bus.prefix),
                key=one.activity.id,
                value=codec.encode(enriched_out(one)),
                headers=((envelope.REDACTED, b"1"),) if redacted else (),
                place=one.activity.object.id,
            )
            for one in activities
        )

    async def records(self, topic: Topic) -> list[tuple[str, dict[str, Any] | None]]:
        codec, found = Codec(topic.schema), []
        reader = await self.bus.reader()
        bounds = await reader.bounds(topic.name(self.bus.prefix))
        await reader.start_at({p: first for p, (first, _) in bounds.items()})
        while records := await reader.poll(limit=1_000, wait=0.0):
            found += [(one.key, None if one.value is None else codec.decode(one.value)) for one in records]
        await reader.stop()
        return found

    async def stands(self, topic: Topic, key: str) -> dict[str, Any]:
        return dict(await self.records(topic)).get(key) or {}

    async def until(self, topic: Topic, key: str, **fields: Any) -> dict[str, Any]:
        """Wait until a record stands, with these values in it; return it."""

        async def there() -> dict[str, Any]:
            record = await self.stands(topic, key)
            return record if all(record.get(name) == value for name, value in fields.items()) else {}

        await eventually(there, what=f"{key} in {topic.suffix}", within=20, pause=0.02)
        return await self.stands(topic, key)


@asynccontextmanager
async def log() -> AsyncIterator[Log]:
    bus = MemoryBus("t.")
    publisher = await bus.publisher()
    yield Log(bus, publisher)
    await publisher.stop()


@asynccontextmanager
async def worker(one: Log, share: float = 0.0) -> AsyncIterator[Live]:
    around = Surroundings(access=one.access, people=People(), left=one.left, feedback=one.feedback, share=share)
    live = Live(one.bus, one.publisher, around, mine=lambda: one.mine)
    await live.load()
    running = [asyncio.create_task(part) for part in live.running()]
    yield live
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await live.stop()


async def test_ties_and_meetings_are_published_with_their_evidence() -> None:
    async with log() as one, worker(one):
        await one.put(world())
        tie = await one.until(topics.TIE, "gil zoe", kind="met")
        assert tie["objects"] == ["chat:north/lunch"]
        meeting = await one.until(topics.MEETING, "gil jon", withdrawn=False)
        assert [place["object"] for place in meeting["ground"][0]["places"]] == ["chat:201", "chat:202"]
        assert [introducer["person"] for introducer in meeting["introducers"]] == ["zoe"]
        assert not meeting["heldOut"]


async def test_a_new_worker_publishes_nothing_that_stands_already() -> None:
    async with log() as one:
        await one.put(world())
        async with worker(one):
            await one.until(topics.MEETING, "gil jon")
        before = [await one.records(topic) for topic in (topics.TIE, topics.MEETING, topics.TREND)]
        async with worker(one):
            await one.put([said(900, "ann", "later", days=9, channel="north"), said(901, "bob", "later", days=9)])
            await one.put([said(902, "bob", "later", days=9, channel="north")])
            await one.until(topics.TIE, "ann bob")
        ties = await one.records(topics.TIE)
        assert ties[: len(before[0])] == before[0]
        assert {key for key, _ in ties[len(before[0]) :]} == {"ann bob"}
        assert (await one.records(topics.MEETING))[: len(before[1])] == before[1]


async def test_a_worker_whose_turn_it_is_not_publishes_nothing_until_it_is() -> None:
    async with log() as one:
        one.mine = False
        await one.put(world())
        async with worker(one):
            await asyncio.sleep(1)
            assert await one.records(topics.TIE) == []
            one.mine = True
            await one.until(topics.TIE, "gil zoe")


async def test_whoever_opts_out_is_in_no_tie_and_no_meeting_and_introduces_nobody() -> None:
    async with log() as one, worker(one):
        await one.put(world())
        await one.until(topics.MEETING, "gil jon", withdrawn=False)
        one.left.say("zoe", "test", left=True)
        await eventually(lambda: _gone(one, "gil zoe"), what="the tie is gone", within=20, pause=0.02)
        await one.put([said(900, "gil", "later", days=9, channel="north")])
        await one.until(topics.MEETING, "gil jon", introducers=[])
        one.left.say("jon", "test", left=True)
        await one.until(topics.MEETING, "gil jon", withdrawn=True, ground=[])
        one.left.say("zoe", "test", left=False)
        await one.until(topics.TIE, "gil zoe", kind="met")


async def _gone(one: Log, key: str) -> bool:
    return not await one.stands(topics.TIE, key)


async def test_ties_of_who_left_while_nobody_looked_are_taken_back() -> None:
    async with log() as one:
        await one.put(world())
        async with worker(one):
            await one.until(topics.TIE, "gil zoe")
        one.left.say("zoe", "test", left=True)
        async with worker(one):
            await eventually(lambda: _gone(one, "gil zoe"), what="the tie is gone", within=20, pause=0.02)


async def test_a_withdrawn_text_ends_the_meeting_that_rests_on_it() -> None:
    async with log() as one, worker(one):
        await one.put(world())
        await one.until(topics.MEETING, "gil jon", withdrawn=False)
        await one.put([said(202, "jon", "stalls", days=6, channel="south")], redacted=True)
        await one.until(topics.MEETING, "gil jon", withdrawn=True)


async def test_an_activity_from_the_future_does_not_age_all_others() -> None:
    async with log() as one, worker(one):
        await one.put([*world(), said(900, "ann", "later", days=40_000, channel="north")])
        await one.until(topics.TIE, "gil zoe", kind="met")
        await one.put([said(901, "bob", "later", days=9, channel="north")])
        tie = await one.until(topics.TIE, "ann bob", kind="met")
        assert tie["last"].year < 2100


async def test_meetings_that_are_held_out_are_logged_as_such_for_both() -> None:
    async with log() as one, worker(one, share=1.0):
        await one.put(world())
        assert (await one.until(topics.MEETING, "gil jon"))["heldOut"]


async def test_nothing_private_to_one_side_makes_a_meeting() -> None:
    async with log() as one, worker(one):
        one.open("chat:south", "jon", "dan", "eve", "fay")
        await one.put(world())
        await one.until(topics.TIE, "gil zoe")
        assert "gil jon" not in dict(await one.records(topics.MEETING))


async def test_what_rises_is_published_and_taken_back_when_it_is_withdrawn() -> None:
    async with log() as one, worker(one):
        stew = [talk(2000 + n, f"p{n}", "stew", 70) for n in range(4)]
        await one.put(usual() + stew)
        await eventually(lambda: one.records(topics.TREND), what="a trend", within=20, pause=0.02)
        key, record = (await one.records(topics.TREND))[-1]
        assert record is not None
        assert (record["label"], record["parts"][0]["count"], record["parts"][0]["people"]) == ("stew", 4, 4)
        await one.put(stew[:1], redacted=True)

        async def gone() -> bool:
            return (await one.records(topics.TREND))[-1] == (key, None)

        await eventually(gone, what="the trend is taken back", within=20, pause=0.02)
