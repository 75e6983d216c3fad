"""What happens to each record when the index answers well, badly, or not at all."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from services.common.bus import Partition, Received
from services.common.errors import Reject, Retry, Stop
from services.common.search import Outcome, Search, Verdict, Write
from services.indexer.pressure import Pressure
from services.indexer.writer import Entry, Limits, Made, Writer

HERE = Partition("enriched.v1", 0)
DONE, BUSY = Outcome(verdict=Verdict.DONE), Outcome(verdict=Verdict.PRESSURE, reason="429")
Answer = Callable[[Sequence[Write]], Sequence[Outcome]]


def fine(writes: Sequence[Write]) -> Sequence[Outcome]:
    return [DONE] * len(writes)


class Scripted:
    """Answers the first requests as told, the others well. Remembers what it was asked to write."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.asked: list[list[str]] = []
        self.at_once = self.most_at_once = 0

    async def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        self.asked.append([write.id for write in writes])
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        return (self.script.pop(0) if self.script else fine)(writes)


class Letters:
    def __init__(self) -> None:
        self.put_aside: list[tuple[int, str]] = []
        self.went_well = 0

    async def put(self, origin: Received, error: Exception, *, attempt: int) -> None:
        self.put_aside.append((origin.offset, str(error)))

    def good(self, count: int) -> None:
        self.went_well += count


def record(offset: int, key: str = "", subject: str = "") -> Received:
    return Received(
        partition=HERE,
        offset=offset,
        key=key or f"a{offset}",
        value=b"x",
        headers={"ce_subject": (subject or f"o{offset}").encode()},
        timestamp=0,
    )


def both(one: Received) -> Made:
    if one.key == "unreadable":
        raise Reject("enriched: not Avro")
    subject = one.headers["ce_subject"].decode()
    return Made(
        writes=[Write(kind="activities", id=one.key, document={}), Write(kind="objects", id=subject, document={})]
    )


async def nothing() -> None:
    return


class World:
    def __init__(self, *script: Answer, limits: Limits | None = None) -> None:
        self.index, self.letters, self.done = Scripted(*script), Letters(), list[int]()
        limits = limits or Limits(linger=0.0, linger_idle=0.0)
        pressure = Pressure(least=1, most=100, step=10)
        self.writer = Writer(
            cast(Search, self.index), both, self.letters, before=nothing,
            limits=limits, pressure=pressure, jitter=lambda: 0.01,
        )  # fmt: skip

    def add(self, *records: Received) -> None:
        for one in records:
            self.writer.add(Entry(record=one, done=lambda offset=one.offset: self.done.append(offset)))  # type: ignore[misc]

    async def finish(self) -> None:
        await asyncio.wait_for(self.writer.finish(), 10)


async def test_only_what_the_index_was_too_busy_for_is_written_again() -> None:
    world = World(lambda writes: [DONE, DONE, BUSY, DONE, DONE, DONE])
    world.add(*(record(n) for n in range(3)))
    await world.finish()
    assert world.index.asked == [["a0", "o0", "a1", "o1", "a2", "o2"], ["a1"]]
    assert sorted(world.done) == [0, 1, 2]
    assert world.letters.put_aside == []


async def test_what_follows_on_a_busy_document_comes_after_it_again() -> None:
    world = World(lambda writes: [DONE, BUSY, DONE, DONE])
    world.add(record(0, subject="page"), record(1, subject="page"))
    await world.finish()
    assert world.index.asked == [["a0", "page", "a1", "page"], ["page", "page"]]


async def test_an_index_that_is_down_loses_nothing_and_puts_nothing_aside() -> None:
    def down(_: Sequence[Write]) -> Sequence[Outcome]:
        raise Retry("Elasticsearch does not answer")

    world = World(*[down] * 5)
    world.add(record(0))
    finishing = asyncio.create_task(world.finish())
    await asyncio.sleep(0.02)
    assert "does not answer" in world.writer.trouble
    await finishing
    assert world.done == [0]
    assert world.letters.put_aside == []
    assert world.writer.trouble == ""


async def test_a_poison_record_goes_aside_once_and_its_neighbours_are_written() -> None:
    bad = Outcome(verdict=Verdict.REJECTED, reason="Elasticsearch answered 400: strict_dynamic_mapping")
    world = World(lambda writes: [bad, bad, DONE, DONE])
    world.add(record(0), record(1), record(2, key="unreadable"))
    await world.finish()
    assert sorted(world.letters.put_aside) == [(0, bad.reason), (2, "enriched: not Avro")]
    assert sorted(world.done) == [0, 1, 2]
    assert world.letters.went_well == 1


async def test_a_refusal_of_all_stops_with_nothing_done() -> None:
    denied = Outcome(verdict=Verdict.FATAL, reason="Elasticsearch answered 403: no permission")
    world = World(lambda writes: [denied] * len(writes))
    world.add(record(0), record(1))
    with pytest.raises(Stop, match="no permission"):
        await world.finish()
    assert world.done == []
    assert world.letters.put_aside == []


async def test_pressure_makes_requests_smaller() -> None:
    busy: Answer = lambda writes: [BUSY] * len(writes)  # noqa: E731
    world = World(busy, busy, busy)
    world.add(*(record(n) for n in range(40)))
    await world.finish()
    sizes = [len(asked) for asked in world.index.asked]
    assert sizes[:4] == [80, 50, 25, 12]
    assert sizes[4] > sizes[3]
    assert sorted(world.done) == list(range(40))


async def test_two_requests_at_once_and_never_the_same_object_in_both() -> None:
    world = World(limits=Limits(records=2, linger=0.0, linger_idle=0.0))
    writer = world.writer
    for start in (0, 2, 4):  # the third batch names an object of the first
        world.add(record(start, subject="page" if start != 2 else ""), record(start + 1))
        writer.pump()
    assert writer.room <= 0
    await world.finish()
    assert world.index.most_at_once == 2
    assert [asked[1] for asked in world.index.asked] == ["page", "o2", "page"]
    assert world.index.asked[2][0] == "a4"


async def test_room_ends_by_number_and_by_bytes() -> None:
    world = World(limits=Limits(records=3, size=10_000))
    world.add(record(0))
    assert world.writer.room == 2
    world.add(*(record(n) for n in range(1, 5)))
    assert world.writer.room <= 0


async def test_dropped_partitions_are_not_written() -> None:
    world = World()
    world.add(record(0))
    world.writer.drop(frozenset({HERE}))
    await world.finish()
    assert world.index.asked == []
    assert world.done == []
