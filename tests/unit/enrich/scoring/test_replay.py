"""The replay over a log in memory: in order, each record once, from committed offsets on, and anew where it must be."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.common import topics
from services.common.bus import Outgoing, Partition, Received
from services.common.bus.memory import MemoryBus
from services.common.errors import Reject
from services.common.model import Enriched
from services.common.topics import TOPICS
from services.enrich.scoring.replay import Item, Outcome, Replay
from tests.fixtures.stack import eventually
from tests.unit.enrich.made import activity

TOPIC = topics.ENRICHED.name("t.")


@dataclass
class Notes:
    """A handler that notes what it was handed since it last began; what follows from a record is its key."""

    handed: list[tuple[str, bool]] = field(default_factory=list)
    begun: int = 0

    def begin(self) -> None:
        self.handed, self.begun = [], self.begun + 1

    def read(self, record: Received) -> tuple[Enriched | Reject | None, int]:
        time = int(record.value or b"0")
        return (Reject("nonsense") if not time else Enriched(activity=activity(time))), time

    def handle(self, items: Sequence[Item]) -> list[Outcome]:
        self.handed += [(item.record.key, item.wanted) for item in items]
        return [
            item.enriched if isinstance(item.enriched, Reject) else [_said(item.record.key)] if item.wanted else ()
            for item in items
        ]


def _said(key: str) -> Outgoing:
    return Outgoing(topic="out", key=key, value=b"")


@dataclass
class Worker:
    bus: MemoryBus
    notes: Notes
    replay: Replay

    async def put(self, **times: tuple[int, int]) -> None:
        """Store records: name=(partition, event time); 0 stands for one that cannot be read."""
        publisher = await self.bus.publisher()
        await publisher.publish(
            Outgoing(topic=TOPIC, key=name, value=str(time).encode(), partition=partition)
            for name, (partition, time) in times.items()
        )
        await publisher.stop()

    async def deal(self, committed: Mapping[int, int], handed: int) -> None:
        self.replay.assign(committed)
        await eventually(lambda: len(self.notes.handed) >= handed, what="it is handed over", within=5, pause=0.005)
        await eventually(lambda: self.replay.loaded, what="all is taken in", within=5, pause=0.005)


def record(partition: int, offset: int) -> Received:
    return Received(partition=Partition(TOPIC, partition), offset=offset, key="", value=b"", headers={}, timestamp=0)


@asynccontextmanager
async def working(tail: int = 1_000) -> AsyncIterator[Worker]:
    bus, notes = MemoryBus("t.", partitions=2), Notes()
    admin = await bus.admin()
    await admin.apply(TOPICS)
    with ThreadPoolExecutor(1) as executor:
        replay = Replay(bus, topics.ENRICHED, notes, executor, tail)
        running = asyncio.create_task(replay.follow())
        try:
            yield Worker(bus, notes, replay)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await replay.stop()


async def test_all_partitions_are_handed_over_by_event_time_and_only_ones_own_are_wanted() -> None:
    async with working() as w:
        await w.put(a=(0, 10), b=(0, 40), c=(1, 20), d=(1, 30))
        await w.deal({0: 1}, 4)
        assert w.notes.handed == [("a", False), ("c", False), ("d", False), ("b", True)]
        await w.replay.reached([record(0, 1)])
        assert [one.key for one in w.replay.outcome(record(0, 1))] == ["b"]
        assert list(w.replay.outcome(record(0, 0))) == []


async def test_what_comes_later_is_handed_over_without_another_beginning() -> None:
    async with working() as w:
        await w.put(a=(0, 10))
        await w.deal({0: 0, 1: 0}, 1)
        await w.put(b=(1, 5))
        await w.replay.reached([record(1, 0)])
        assert w.notes.handed == [("a", True), ("b", True)]
        assert w.notes.begun == 1


async def test_a_record_that_cannot_be_read_is_rejected_by_who_asks() -> None:
    async with working() as w:
        await w.put(bad=(0, 0), good=(0, 10))
        await w.deal({0: 0}, 2)
        with pytest.raises(Reject, match="nonsense"):
            w.replay.outcome(record(0, 0))
        assert [one.key for one in w.replay.outcome(record(0, 1))] == ["good"]


async def test_a_gained_partition_that_was_gone_past_begins_everything_anew() -> None:
    async with working() as w:
        await w.put(a=(0, 10), b=(1, 20), c=(0, 30))
        await w.deal({0: 0}, 3)
        w.replay.assign(None)
        await w.deal({0: 2, 1: 0}, 3)
        await eventually(lambda: w.notes.begun == 2, what="it begins anew", within=5, pause=0.005)
        await eventually(lambda: len(w.notes.handed) == 3, what="all is handed over again", within=5, pause=0.005)
        assert w.notes.handed == [("a", False), ("b", True), ("c", False)]


async def test_a_kept_partition_goes_on_and_gives_again_what_was_not_committed() -> None:
    async with working() as w:
        await w.put(a=(0, 10), b=(0, 20))
        await w.deal({0: 0}, 2)
        assert [one.key for one in w.replay.outcome(record(0, 0))] == ["a"]
        w.replay.assign(None)
        await w.deal({0: 0}, 2)
        await w.replay.reached([record(0, 1)])
        assert [one.key for one in w.replay.outcome(record(0, 0))] == ["a"]
        assert w.notes.begun == 1


async def test_only_the_tail_is_read_at_the_beginning() -> None:
    async with working(tail=4) as w:
        await w.put(**{f"r{n}": (0, n + 1) for n in range(9)})
        await w.deal({0: 9, 1: 0}, 2)
        assert w.notes.handed == [("r7", False), ("r8", False)]


async def test_what_was_committed_is_kept_no_more_and_going_back_before_it_begins_everything_anew() -> None:
    async with working() as w:
        await w.put(a=(0, 10), b=(0, 20))
        await w.deal({0: 0}, 2)
        w.replay.stored({0: 1})
        assert [one.key for one in w.replay.outcome(record(0, 0))] == ["a"]  # that may not have come through
        w.replay.stored({0: 2})
        assert [one.key for one in w.replay.outcome(record(0, 1))] == ["b"]
        assert list(w.replay.outcome(record(0, 0))) == []
        w.replay.assign(None)
        w.replay.assign({0: 0})
        await w.replay.reached([record(0, 0)])
        assert w.notes.begun == 2
        assert [one.key for one in w.replay.outcome(record(0, 0))] == ["a"]
