"""The durable path, `activity.v1` to `enriched.v1` and `public.v1`, beside a bare aiokafka consume-produce loop."""

import asyncio
import gzip
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from bench.table import Row
from services.common import envelope, topics
from services.common.activitystreams import parse_line
from services.common.bus import Outgoing
from services.common.bus.kafka import KafkaBus
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Activity, Visibility
from services.common.records import access_out, activity_out
from services.common.settings import Settings, load
from services.common.topics import Topic
from services.enrich.app import service
from services.enrich.pipeline import Knowledge, enrich

DATA = Path(__file__).parents[1] / "services" / "standalone" / "data" / "demo.jsonl.gz"
COPIES = 3
PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the clock and of the processor, all threads of this process."""

    wall: float
    cpu: float


async def measure(kafka: str, _: str) -> list[Row]:
    """Enrich the demonstration data several times over under other ids, and copy the same records barely."""
    return await asyncio.to_thread(uvloop.run, _measured(kafka))  # as the command itself runs


async def _measured(kafka: str) -> list[Row]:
    activities = await asyncio.to_thread(_activities)
    await asyncio.to_thread(enrich, activities[:500], Knowledge())  # models are loaded before the clock starts
    with tempfile.TemporaryDirectory(prefix="watercooler-bench-") as folder:
        async with _place(kafka, Path(folder)) as (bus, settings):
            await _fill(bus, activities)
            count = len(activities)
            activities.clear()  # they would be walked through by every garbage collection
            bare = await _bare(bus, count)
            ours = await _spent(lambda: _enrich(settings, bus, count))
    return [
        Row(
            "enrich",
            count / ours.wall,
            "activities/s",
            f"bare consume-produce: {count / bare.wall:,.0f}/s",
            bare.wall / ours.wall,
            ">= 3000",
        ),
        Row(
            "enrich, CPU",
            ours.cpu / count * 100_000,
            "s per 100,000",
            f"bare consume-produce: {bare.cpu / count * 100_000:.3g} s",
            ours.cpu / bare.cpu,
        ),
    ]


def _activities() -> list[Activity]:
    with gzip.open(DATA) as lines:
        given = [parse_line(line) for line in lines]
    return [replace(one, id=f"{one.id}+{copy}") for copy in range(COPIES) for one in given]


@asynccontextmanager
async def _place(kafka: str, state: Path) -> AsyncIterator[tuple[KafkaBus, Settings]]:
    prefix = f"bench-{uuid4().hex[:8]}."
    settings = load(
        kafka=kafka, topic_prefix=prefix, kafka_partitions=PARTITIONS, kafka_replication=1, state=state, enrich_port=0
    )
    bus = KafkaBus(settings.kafka_settings(), prefix)
    admin = await bus.admin()
    try:
        await admin.apply(topics.TOPICS)
        yield bus, settings
    finally:
        await admin.stop()
        plain = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await plain.start()
        await plain.delete_topics([name for name in await plain.list_topics() if name.startswith(prefix)])
        await plain.close()


async def _fill(bus: KafkaBus, activities: list[Activity]) -> None:
    codec, access = Codec("activity"), Codec("access")
    publisher = await bus.publisher()
    for container in {one.audience.container for one in activities}:
        record = Access(id=container, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC)
        value = access.encode(access_out(record))
        await publisher.publish([Outgoing(topic=topics.ACCESS.name(bus.prefix), key=container, value=value)])
    for first in range(0, len(activities), 1_000):
        await publisher.publish(_outgoing(bus, codec, one) for one in activities[first : first + 1_000])
    await publisher.stop()


def _outgoing(bus: KafkaBus, codec: Codec, one: Activity) -> Outgoing:
    return Outgoing(
        topic=topics.ACTIVITY.name(bus.prefix),
        key=one.id,
        value=codec.encode(activity_out(one)),
        headers=(*envelope.headers(one), (envelope.FINGERPRINT, envelope.fingerprint(one).encode())),
        place=one.object.id,
    )


async def _spent(work: Callable[[], Awaitable[None]]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


async def _enrich(settings: Settings, bus: KafkaBus, count: int) -> None:
    """Run the whole service until every activity is behind it."""
    async with service(settings) as parts:
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            while await _end(bus, topics.ENRICHED) < count:  # noqa: ASYNC110 - Kafka tells nobody
                await asyncio.sleep(0.2)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _end(bus: KafkaBus, topic: Topic) -> int:
    reader = await bus.reader()
    try:
        return sum(end for _, end in (await reader.bounds(topic.name(bus.prefix))).values())
    finally:
        await reader.stop()


async def _bare(bus: KafkaBus, count: int) -> Spent:
    """Copy the records to another topic, as simply as aiokafka lets one: idempotent, acknowledged by all, committed."""
    consumer = AIOKafkaConsumer(
        topics.ACTIVITY.name(bus.prefix),
        bootstrap_servers=bus.settings.bootstrap,
        group_id=f"{bus.prefix}bare",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bus.settings.bootstrap, enable_idempotence=True, compression_type="lz4", linger_ms=5
    )
    await consumer.start()
    await producer.start()
    try:
        return await _spent(lambda: _copy(consumer, producer, topics.TREND.name(bus.prefix), count))
    finally:
        await consumer.stop()
        await producer.stop()


async def _copy(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, topic: str, count: int) -> None:
    done = 0
    while done < count:
        batches = await consumer.getmany(timeout_ms=500, max_records=1_000)
        sent = [
            await producer.send(topic, one.value, key=one.key, partition=one.partition, headers=list(one.headers))
            for batch in batches.values()
            for one in batch
        ]
        await asyncio.gather(*sent)
        await consumer.commit()
        done += len(sent)
