"""From an activity to its recommendation through real Kafka at 500/s, and what a second scoring worker brings.

How fast that goes depends on how many of the activities begin something, since those alone are scored. In the community
of docs/evaluate.md one in eleven does (280 of 3,035 a week); one in two is far beyond what a place where people answer
each other would see, and is measured beside it.

There are two stacks. In the first, one worker scores a history from its beginning and then, with nothing left to do,
what comes at an even rate; in the second, two workers score the same history.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import islice

from aiokafka.admin import AIOKafkaAdminClient

from bench.crowd import Crowd
from bench.flow import percentile
from bench.table import Row
from bench.whole import busy, whole
from services.common import envelope, topics
from services.common.bus import Outgoing
from services.common.bus.kafka import KafkaBus
from services.common.bus.kafka_settings import KafkaSettings
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Enriched, Visibility
from services.common.records import access_out, enriched_out
from tests.fixtures.stack import Stack

PEOPLE = 10_000
HISTORY = 6_000
RATE = 500
SHARES = 10, 2
"""Of how many activities one begins something; the bar is for the first."""
SECONDS = 20
TICK = 0.02
PATIENCE = 60.0
SETTINGS = {"WATERCOOLER_RECOMMENDATIONS_DAILY": "1000", "WATERCOOLER_RECOMMENDATIONS_HELD_OUT": "0"}
"""So that every recommendation is given, and seen here."""
_enriched, _access, _recommendation = Codec("enriched"), Codec("access"), Codec("recommendation")


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Return the rows."""
    crowd = Crowd(PEOPLE)
    history = await asyncio.to_thread(lambda: list(islice(crowd.activities(HISTORY), HISTORY)))
    crowd.pace = 1 / RATE
    news = {share: await asyncio.to_thread(some, crowd, share) for share in SHARES}
    async with whole(kafka, elastic, "score", **SETTINGS) as stack:
        one = await drained(stack, history)
        rows = [row for share in SHARES for row in await fresh(stack, news[share], share)]
    async with whole(kafka, elastic, "score", **SETTINGS) as stack:
        stack.start("score", name="second")
        await stack.ready()  # it has partitions: the group has dealt them out anew
        two = await drained(stack, history)
    return [
        *rows,
        Row("score: one worker from the beginning", HISTORY / one, "activities/s"),
        Row("score: two workers", HISTORY / two, "activities/s", f"one: {HISTORY / one:,.0f}/s", one / two),
    ]


def some(crowd: Crowd, share: int) -> list[Enriched]:
    """Return the activities that are to come, of which one in ``share`` begins something."""
    return list(islice(crowd.activities(RATE * SECONDS, answers=share - 1), RATE * SECONDS))


def bus_of(stack: Stack) -> KafkaBus:
    """Return a bus under the stack's prefix."""
    return KafkaBus(KafkaSettings(bootstrap=stack.environ["WATERCOOLER_KAFKA"]), stack.prefix)


async def fill(bus: KafkaBus, activities: Sequence[Enriched]) -> None:
    """Store activities as enrichment does, and say that everybody may open where they are."""
    publisher = await bus.publisher()
    places = {one.activity.audience.container for one in activities}
    records = [Access(id=one, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC) for one in places]
    await publisher.publish(
        Outgoing(topic=topics.ACCESS.name(bus.prefix), key=one.id, value=_access.encode(access_out(one)))
        for one in records
    )
    for start in range(0, len(activities), 1_000):
        await publisher.publish(outgoing(bus, one) for one in activities[start : start + 1_000])
    await publisher.stop()


def outgoing(bus: KafkaBus, one: Enriched) -> Outgoing:
    """Return an activity as enrichment publishes it."""
    return Outgoing(
        topic=topics.ENRICHED.name(bus.prefix),
        key=one.activity.id,
        value=_enriched.encode(enriched_out(one)),
        headers=tuple(envelope.headers(one.activity)),
        place=one.activity.object.id,
    )


async def caught_up(stack: Stack) -> float:
    """Return how long it takes until the scorer has nothing left to read."""
    start = time.perf_counter()
    while time.perf_counter() < start + 4 * PATIENCE:
        if not await left(stack):
            return time.perf_counter() - start
        await asyncio.sleep(0.1)
    raise RuntimeError(f"scoring has not caught up within four minutes: {await left(stack)} records are left")


async def left(stack: Stack) -> int:
    """Return how many records scoring has still to read, also of partitions of which it has read none yet."""
    bus = bus_of(stack)
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.environ["WATERCOOLER_KAFKA"])
    await admin.start()
    reader = await bus.reader()
    try:
        stored = await admin.list_consumer_group_offsets(f"{stack.prefix}score")
        read = {(place.topic, place.partition): max(0, at.offset) for place, at in stored.items()}
        ends = [await reader.bounds(topic.name(bus.prefix)) for topic in (topics.ENRICHED, topics.CANDIDATE)]
        return sum(end - read.get((p.topic, p.number), 0) for bounds in ends for p, (_, end) in bounds.items())
    finally:
        await reader.stop()
        await admin.close()


async def drained(stack: Stack, history: Sequence[Enriched]) -> float:
    """Return the seconds in which the workers score a history from its beginning."""
    await fill(bus_of(stack), history)
    return await caught_up(stack)


async def fresh(stack: Stack, news: Sequence[Enriched], share: int) -> list[Row]:
    """Publish at an even rate; return how long it takes from there until the recommendation can be read."""
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    bus, worker = bus_of(stack), stack.processes["score"].pid
    reading, before = asyncio.create_task(read(bus, seen)), busy(worker)
    await publish(bus, news, sent)
    await caught_up(stack)
    spent = busy(worker) - before
    await asyncio.sleep(1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    delays = [1_000 * (at - sent[one]) for one, at in seen.items() if one in sent]
    rate = f"at {len(sent) / (max(sent.values()) - min(sent.values())):.0f}/s"
    what = f"activity to recommendation, one in {share} begins something"
    return [
        Row(f"{what}: p50", percentile(delays, 50), "ms", rate),
        Row(f"{what}: p99", percentile(delays, 99), "ms", rate, bar="<= 1000" if share == SHARES[0] else ""),
        Row(f"{what}: things recommended", len(delays), "", f"{len(sent)} activities"),
        Row(f"{what}: CPU of the worker", 1e6 * spent / len(sent), "µs an activity"),
    ]


async def publish(bus: KafkaBus, news: Sequence[Enriched], sent: dict[str, float]) -> None:
    """Publish ten activities every 20 ms, whatever the answers take."""
    publisher = await bus.publisher()
    count = round(RATE * TICK)
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for tick in range(len(news) // count):
            await asyncio.sleep(max(0.0, start + tick * TICK - time.perf_counter()))
            some = news[tick * count : (tick + 1) * count]
            records = [outgoing(bus, one) for one in some]
            sent.update(dict.fromkeys((one.activity.id for one in some), time.perf_counter()))
            group.create_task(publisher.publish(records))
    await publisher.stop()


async def read(bus: KafkaBus, seen: dict[str, float]) -> None:
    """Note when each activity was first recommended to somebody."""
    reader = await bus.reader()
    try:
        bounds = await reader.bounds(topics.RECOMMENDATION.name(bus.prefix))
        await reader.start_at({partition: end for partition, (_, end) in bounds.items()})
        while True:
            for record in await reader.poll(limit=1_000, wait=0.2):
                one = _recommendation.decode(record.value or b"")
                seen.setdefault(one["activity"], time.perf_counter())
    finally:
        await reader.stop()
