"""The log while Kafka goes away, hangs and comes back: nothing is lost, no call hangs, every error is one of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from time import monotonic

import pytest

from services.common import topics
from services.common.bus import Outgoing, Partition, Publisher, Received, Unpublished
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.errors import Retry
from services.common.view import View
from tests.fixtures.kafka_elastic import Breakable, Factory

pytestmark = pytest.mark.integration

NAME = topics.ACCESS.name("b.")


@pytest.fixture
async def server(breakable_kafka: Factory) -> Breakable:
    return await breakable_kafka()


@pytest.fixture
async def bus(server: Breakable) -> KafkaBus:
    made = KafkaBus(KafkaSettings(bootstrap=server.bootstrap, partitions=2, replication=1, patience=3), "b.")
    admin = await made.admin()
    await admin.apply([topics.ACCESS])
    await admin.stop()
    return made


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


def record(key: str) -> Outgoing:
    return Outgoing(topic=NAME, key=key, value=key.encode(), partition=0)


async def published(publisher: Publisher, key: str) -> None:
    """Publish as every service does: again, as long as Retry says that it is worth it."""
    while True:
        try:
            await publisher.publish([record(key)])
        except Unpublished as error:
            if not all(isinstance(one, Retry) for _, one in error.failures):
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def everything(bus: KafkaBus) -> list[Received]:
    reader = await bus.reader()
    place = Partition(NAME, 0)
    end = (await reader.bounds(NAME))[place][1]
    await reader.start_at({place: 0})
    found: list[Received] = []
    while await reader.position(place) < end:
        found += await reader.poll(limit=1000, wait=0.5)
    await reader.stop()
    return found


async def test_a_restart_in_the_middle_loses_nothing(server: Breakable, bus: KafkaBus, stack: AsyncExitStack) -> None:
    publisher = await bus.publisher()
    stack.push_async_callback(publisher.stop)
    consumer = await bus.consumer([NAME], "b.g")
    stack.push_async_callback(consumer.stop)
    seen: list[str] = []
    view_seen: list[str] = []
    view = View(bus, NAME, lambda one: view_seen.append(one.key))
    await view.load()
    stack.push_async_callback(view.stop)
    following = asyncio.create_task(view.follow())
    sent = [f"k{n}" for n in range(300)]

    async def send() -> None:
        for key in sent:
            await published(publisher, key)
            await asyncio.sleep(0.02)

    async def read() -> None:
        while set(seen) != set(sent):
            with suppress(Retry):
                records = await consumer.poll(limit=100, wait=0.5)
                seen.extend(one.key for one in records)
                if records:
                    await consumer.commit({records[-1].partition: records[-1].offset + 1})

    work = asyncio.gather(send(), read())
    await asyncio.sleep(2)
    await server.stop()
    await asyncio.sleep(1)
    await server.start()
    await asyncio.wait_for(work, 90)
    # What timed out during the restart may have been stored all the same, and then stands there twice.
    assert list(dict.fromkeys(one.key for one in await everything(bus))) == sent
    await asyncio.wait_for(view.caught_up(), 30)
    assert list(dict.fromkeys(view_seen)) == sent
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_a_broker_that_hangs_ends_no_call(server: Breakable, bus: KafkaBus, stack: AsyncExitStack) -> None:
    publisher = await bus.publisher()
    stack.push_async_callback(publisher.stop)
    await publisher.publish([record("before")])
    server.suspend()
    began = monotonic()
    with pytest.raises(Unpublished) as refused:
        await publisher.publish([record("late1"), record("late2")])
    assert monotonic() - began < 10
    assert [one.key for one, _ in refused.value.failures] == ["late1", "late2"]
    assert all(isinstance(error, Retry) for _, error in refused.value.failures)
    server.resume()
    await published(publisher, "after")
    await asyncio.sleep(1)
    # What was called unpublished may have been stored all the same, but never behind what was published later.
    got = [one.key for one in await everything(bus)]
    assert got[0] == "before"
    assert got[-1] == "after"


async def test_stopping_ends_while_the_broker_is_dead(server: Breakable, bus: KafkaBus) -> None:
    publisher, consumer, reader, admin = (
        await bus.publisher(),
        await bus.consumer([NAME], "b.g"),
        await bus.reader(),
        await bus.admin(),
    )
    await publisher.publish([record("a")])
    await consumer.poll(limit=1, wait=5)
    await reader.start_at({Partition(NAME, 0): 0})
    await reader.poll(limit=1, wait=5)
    server.kill()
    lost = asyncio.create_task(publisher.publish([record("lost")]))
    await asyncio.sleep(0.5)
    began = monotonic()
    for part in (publisher, consumer, reader, admin):
        await part.stop()
    assert monotonic() - began < 45
    with pytest.raises(Unpublished):
        await lost


async def test_with_nobody_there_every_start_says_so(server: Breakable, bus: KafkaBus) -> None:
    server.kill()
    for start in (bus.publisher, bus.reader, bus.admin, lambda: bus.consumer([NAME], "g")):
        with pytest.raises(Retry, match=rf"no Kafka could be reached at {server.bootstrap}, is it running\?"):
            await start()


async def test_calls_while_the_broker_is_away_raise_only_ours(server: Breakable, bus: KafkaBus) -> None:
    slow = KafkaBus(replace(bus.settings, client_id="x"), "b.")
    reader, admin = await slow.reader(), await slow.admin()
    server.kill()
    with pytest.raises(Retry):
        await reader.bounds(NAME)
    with pytest.raises(Retry):
        await admin.incarnation(NAME)
    with pytest.raises(Retry):
        await admin.diff([topics.ACCESS])
    await reader.stop()
    await admin.stop()
