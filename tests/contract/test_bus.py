"""The promises of the log, kept by the twin in memory and by real Kafka alike."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.common import topics
from services.common.bus import Admin, Bus, Consumer, Outgoing, Partition, Publisher, Reader, Received, Unpublished
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.bus.memory import MemoryBus
from services.common.bus.placing import partition_of
from services.common.errors import Reject, Retry, Stop
from services.common.topics import Topic

PARTITIONS = 4
SMALL = replace(topics.TREND, suffix="small.v1", config={"cleanup.policy": "delete", "max.message.bytes": "2000"})
TABLE: tuple[Topic, ...] = (topics.ACTIVITY, topics.ENRICHED, topics.PUBLIC, SMALL)


class Log:
    """A bus of a test's own, with what makes its parts and stops them."""

    def __init__(self, bus: Bus, stack: AsyncExitStack) -> None:
        self.bus = bus
        self.stack = stack

    def name(self, topic: Topic = topics.ACTIVITY) -> str:
        return topic.name(self.bus.prefix)

    async def admin(self) -> Admin:
        made = await self.bus.admin()
        self.stack.push_async_callback(made.stop)
        return made

    async def publisher(self) -> Publisher:
        made = await self.bus.publisher()
        self.stack.push_async_callback(made.stop)
        return made

    async def reader(self) -> Reader:
        made = await self.bus.reader()
        self.stack.push_async_callback(made.stop)
        return made

    async def consumer(self, group: str, *, stopped: bool = True, **on: object) -> Consumer:
        made = await self.bus.consumer([self.name()], self.bus.prefix + group, **on)  # type: ignore[arg-type]
        if stopped:
            self.stack.push_async_callback(made.stop)
        return made

    async def publish(self, *keys: str, topic: Topic = topics.ACTIVITY, partition: int | None = None) -> None:
        publisher = await self.publisher()
        await publisher.publish(
            [Outgoing(topic=self.name(topic), key=k, value=k.encode(), partition=partition) for k in keys]
        )


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Where Kafka is; empty for the twin. Not async, since the server's own fixture runs a loop."""
    return str(request.getfixturevalue("kafka")) if request.param == "kafka" else ""


@pytest.fixture
async def log(bootstrap: str) -> AsyncIterator[Log]:
    prefix = f"c{uuid4().hex[:8]}."
    bus: Bus = MemoryBus(prefix, partitions=PARTITIONS, topics=())
    if bootstrap:
        bus = KafkaBus(KafkaSettings(bootstrap=bootstrap, partitions=PARTITIONS, replication=1), prefix)
    async with AsyncExitStack() as stack:
        admin = await bus.admin()
        stack.push_async_callback(admin.stop)
        await admin.apply(TABLE)
        yield Log(bus, stack)
    if bootstrap:
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await client.start()
        await client.delete_topics([topic.name(prefix) for topic in TABLE])
        await client.close()


async def drain(source: Consumer | Reader, enough: int, *, limit: int = 100, patience: float = 20) -> list[Received]:
    """Read until ``enough`` records are there, then once more, so that too many would be seen."""
    found: list[Received] = []
    deadline = asyncio.get_running_loop().time() + patience
    while len(found) < enough and asyncio.get_running_loop().time() < deadline:
        found += await source.poll(limit=limit, wait=0.5)
    return [*found, *await source.poll(limit=limit, wait=0.3)]


def keys(records: Sequence[Received]) -> list[str]:
    return [record.key for record in records]


async def until(holds: Callable[[], bool], source: Consumer, patience: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + patience
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to hold"
        await source.poll(limit=1, wait=0.1)


async def test_what_is_published_is_read_whole(log: Log) -> None:
    publisher = await log.publisher()
    sent = Outgoing(topic=log.name(), key="wiki:1#é", value=b"\x00\x01", headers=(("ce_id", b"1"), ("x", b"")))
    await publisher.publish([sent, replace(sent, key="gone", value=None)])
    got = {record.key: record for record in await drain(await log.consumer("a"), 2)}
    assert (got["wiki:1#é"].value, dict(got["wiki:1#é"].headers)) == (b"\x00\x01", {"ce_id": b"1", "x": b""})
    assert got["gone"].value is None
    assert got["gone"].timestamp > 1_700_000_000_000


async def test_publishing_nothing_is_nothing(log: Log) -> None:
    await (await log.publisher()).publish([])


@pytest.mark.parametrize(
    ("place", "murmur2"),
    # What Java's org.apache.kafka.common.utils.Utils.murmur2 gives for these keys.
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536), ("abc", 479470107)],
)
async def test_a_place_has_the_partition_that_java_would_choose(log: Log, place: str, murmur2: int) -> None:
    partition = (murmur2 & 0x7FFFFFFF) % PARTITIONS
    publisher = await log.publisher()
    await publisher.publish([Outgoing(topic=log.name(), key="k", place=place, value=b"")])
    [record] = await drain(await log.consumer("a"), 1)
    assert record.partition == Partition(log.name(), partition)
    assert partition_of(place, PARTITIONS) == partition


async def test_a_named_partition_wins_over_the_place(log: Log) -> None:
    publisher = await log.publisher()
    await publisher.publish([Outgoing(topic=log.name(), key="k", place="abc", value=b"", partition=0)])
    assert (await drain(await log.consumer("a"), 1))[0].partition.number == 0


async def test_records_of_a_partition_come_in_order(log: Log) -> None:
    sent = [f"k{n}" for n in range(500)]
    await log.publish(*sent, partition=1)
    got = await drain(await log.consumer("a"), 500, limit=7)
    assert keys(got) == sent
    assert [record.offset for record in got] == list(range(500))


async def test_what_is_not_committed_is_read_again(log: Log) -> None:
    await log.publish("a", "b", "c", partition=0)
    first = await log.consumer("g", stopped=False)
    assert len(await drain(first, 3)) == 3
    await first.commit({Partition(log.name(), 0): 1})
    await first.stop()
    assert keys(await drain(await log.consumer("g"), 2)) == ["b", "c"]
    assert keys(await drain(await log.consumer("other"), 3)) == ["a", "b", "c"]


async def test_a_paused_partition_gives_nothing_and_the_others_go_on(log: Log) -> None:
    consumer = await log.consumer("g")
    await until(lambda: len(consumer.assignment()) == PARTITIONS, consumer)
    paused = Partition(log.name(), 0)
    consumer.pause([paused])
    await log.publish("held", partition=0)
    await log.publish("flows", partition=1)
    assert keys(await drain(consumer, 1)) == ["flows"]
    consumer.resume([paused])
    assert keys(await drain(consumer, 1)) == ["held"]


async def test_what_is_not_ours_is_left_alone(log: Log) -> None:
    consumer = await log.consumer("g")
    await until(lambda: len(consumer.assignment()) == PARTITIONS, consumer)
    foreign = Partition(log.name(topics.ENRICHED), 0)
    consumer.pause([foreign])
    consumer.resume([foreign])
    with pytest.raises(Retry):
        await consumer.commit({foreign: 1})


async def test_members_share_the_partitions_and_take_over(log: Log) -> None:
    seen: list[tuple[str, int]] = []

    async def assigned(partitions: frozenset[Partition]) -> None:
        seen.append(("assigned", len(partitions)))

    async def revoked(partitions: frozenset[Partition]) -> None:
        seen.append(("revoked", len(partitions)))

    first = await log.consumer("g", on_assigned=assigned, on_revoked=revoked)
    await until(lambda: len(first.assignment()) == PARTITIONS, first)
    assert ("assigned", PARTITIONS) in seen
    second = await log.consumer("g", stopped=False)

    async def shared() -> None:
        while len(first.assignment()) + len(second.assignment()) != PARTITIONS or not second.assignment():
            await first.poll(limit=1, wait=0.1)
            await second.poll(limit=1, wait=0.1)

    await asyncio.wait_for(shared(), 30)
    assert ("revoked", PARTITIONS) in seen
    assert not first.assignment() & second.assignment()
    taken = next(iter(second.assignment()))
    with pytest.raises(Retry):
        await first.commit({taken: 1})
    await second.stop()
    await until(lambda: len(first.assignment()) == PARTITIONS, first, patience=30)


async def test_lag_counts_what_lies_before_the_end(log: Log) -> None:
    await log.publish("a", partition=2)
    consumer = await log.consumer("g")
    await drain(consumer, 1)
    await log.publish("b", "c", partition=2)
    assert (await consumer.lag())[Partition(log.name(), 2)] == 2
    await drain(consumer, 2)
    assert set((await consumer.lag()).values()) == {0}


async def test_a_reader_reads_from_any_offset_without_a_group(log: Log) -> None:
    await log.publish("a", "b", "c", partition=0)
    await log.publish("x", "y", partition=1)
    reader = await log.reader()
    zero, one = Partition(log.name(), 0), Partition(log.name(), 1)
    await reader.start_at({zero: 2, one: 0})
    assert await reader.position(zero) == 2
    assert sorted(keys(await drain(reader, 3))) == ["c", "x", "y"]
    assert (await reader.position(zero), await reader.position(one)) == (3, 2)
    await reader.start_at({zero: 1})
    assert keys(await drain(reader, 2)) == ["b", "c"]


async def test_a_reader_sees_what_comes_later(log: Log) -> None:
    reader = await log.reader()
    await reader.start_at({Partition(log.name(), 0): 0})
    waiting = asyncio.create_task(reader.poll(limit=10, wait=10))
    await asyncio.sleep(0.2)
    await log.publish("new", partition=0)
    assert keys(await waiting) == ["new"]


async def test_a_poll_waits_no_longer_than_told(log: Log) -> None:
    reader = await log.reader()
    await reader.start_at({Partition(log.name(), 0): 0})
    began = asyncio.get_running_loop().time()
    assert not await reader.poll(limit=10, wait=0.3)
    assert 0.2 < asyncio.get_running_loop().time() - began < 3


async def test_bounds_name_first_and_end(log: Log) -> None:
    await log.publish("a", "b", partition=3)
    bounds = await (await log.reader()).bounds(log.name())
    assert bounds == {Partition(log.name(), n): (0, 2 if n == 3 else 0) for n in range(PARTITIONS)}


async def test_offsets_at_a_time(log: Log) -> None:
    await log.publish("a", partition=0)
    [first] = await drain(await log.consumer("g"), 1)
    await asyncio.sleep(0.05)
    await log.publish("b", "c", partition=0)
    reader = await log.reader()
    zero = Partition(log.name(), 0)
    assert (await reader.offsets_at(log.name(), first.timestamp))[zero] == 0
    assert (await reader.offsets_at(log.name(), first.timestamp + 1))[zero] == 1
    assert (await reader.offsets_at(log.name(), -1))[zero] == 0  # before 1970: all that is kept
    late = await reader.offsets_at(log.name(), first.timestamp + 3_600_000)
    assert late == {Partition(log.name(), n): 3 if n == 0 else 0 for n in range(PARTITIONS)}


async def test_no_partition_starves_the_others(log: Log) -> None:
    publisher = await log.publisher()
    many = [Outgoing(topic=log.name(), key=f"a{n}", value=os.urandom(1500), partition=0) for n in range(4000)]
    await publisher.publish([*many, Outgoing(topic=log.name(), key="b", value=b"", partition=1)])
    reader = await log.reader()
    await reader.start_at({Partition(log.name(), 0): 0, Partition(log.name(), 1): 0})
    before = 0
    while "b" not in keys(records := await reader.poll(limit=100, wait=1)):
        before += len(records)
    # Kafka's adapter takes turns by what one request has fetched (1 MiB), the twin by polls.
    assert before < 2000


async def test_a_record_too_large_is_rejected_and_the_others_are_stored(log: Log) -> None:
    publisher = await log.publisher()
    name = log.name(SMALL)
    fits = [Outgoing(topic=name, key=f"k{n}", value=bytes(100), partition=0) for n in range(3)]
    large = Outgoing(
        topic=name, key="large", value=json.dumps([str(uuid4()) for _ in range(200)]).encode(), partition=0
    )
    with pytest.raises(Unpublished) as refused:
        await publisher.publish([fits[0], large, *fits[1:]])
    [(record, error)] = refused.value.failures
    assert record is large
    assert isinstance(error, Reject)
    await publisher.publish([replace(fits[0], key="after")])
    reader = await log.reader()
    await reader.start_at({Partition(name, 0): 0})
    assert sorted(keys(await drain(reader, 4))) == ["after", "k0", "k1", "k2"]


async def test_many_small_records_are_no_large_one(log: Log) -> None:
    publisher = await log.publisher()
    name = log.name(SMALL)
    sent = [Outgoing(topic=name, key=f"k{n}", value=uuid4().bytes * 20, partition=0) for n in range(60)]
    await publisher.publish(sent)
    reader = await log.reader()
    await reader.start_at({Partition(name, 0): 0})
    assert keys(await drain(reader, 60)) == [record.key for record in sent]


async def test_a_missing_topic_is_named(log: Log) -> None:
    missing = log.bus.prefix + "missing.v1"
    with pytest.raises(Retry, match=r"missing\.v1"):
        await log.bus.consumer([missing], "g")
    with pytest.raises(Retry, match=r"missing\.v1"):
        await (await log.reader()).bounds(missing)
    with pytest.raises(Unpublished, match=r"missing\.v1") as refused:
        await (await log.publisher()).publish([Outgoing(topic=missing, key="k", value=b"")])
    assert isinstance(refused.value.failures[0][1], Retry)
    with pytest.raises(Retry, match=r"missing\.v1"):
        await (await log.admin()).incarnation(missing)


async def test_topics_as_the_table_says_differ_in_nothing(log: Log) -> None:
    admin = await log.admin()
    assert list(await admin.diff(TABLE)) == []
    assert list(await admin.apply(TABLE)) == []


async def test_a_changed_setting_is_seen_and_mended_and_the_others_stay(log: Log) -> None:
    admin = await log.admin()
    changed = replace(topics.PUBLIC, config={**topics.PUBLIC.config, "retention.ms": "1000"})
    [one] = await admin.diff([changed])
    assert (one.topic, one.setting, one.wanted) == (log.name(topics.PUBLIC), "retention.ms", "1000")
    assert one.found == topics.PUBLIC.config["retention.ms"]
    await admin.apply([changed])
    assert list(await admin.diff([changed])) == []
    # A setting that an operator has added by hand is not taken away by a table that says nothing of it.
    by_hand = replace(changed, config={"segment.ms": "777000"})
    await admin.apply([by_hand])
    await admin.apply([replace(changed, config={"retention.ms": "2000"})])
    assert list(await admin.diff([by_hand])) == []


async def test_partitions_are_never_changed(log: Log) -> None:
    if isinstance(log.bus, MemoryBus):
        other: Bus = log.bus.with_partitions(PARTITIONS + 1)
    else:
        assert isinstance(log.bus, KafkaBus)
        other = KafkaBus(replace(log.bus.settings, partitions=PARTITIONS + 1), log.bus.prefix)
    admin = await Log(other, log.stack).admin()
    [one] = await admin.diff([topics.ACTIVITY])
    assert (one.setting, one.wanted, one.found) == ("partitions", "5", "4")
    with pytest.raises(Stop, match="4 partitions, not 5"):
        await admin.apply([topics.ACTIVITY])


async def test_a_topic_made_again_has_another_incarnation(log: Log) -> None:
    admin = await log.admin()
    name = log.name()
    before = await admin.incarnation(name)
    assert before == await admin.incarnation(name)
    assert before != await admin.incarnation(log.name(topics.ENRICHED))
    if isinstance(log.bus, MemoryBus):
        log.bus.delete(name)
    else:
        assert isinstance(log.bus, KafkaBus)
        client = AIOKafkaAdminClient(bootstrap_servers=log.bus.settings.bootstrap)
        await client.start()
        await client.delete_topics([name])
        await client.close()
        while not await admin.diff([topics.ACTIVITY]):  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(0.1)
    await admin.apply([topics.ACTIVITY])
    assert await admin.incarnation(name) != before
