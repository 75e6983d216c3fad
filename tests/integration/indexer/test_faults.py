"""The index is busy, cuts connections, is away or refuses; records are poison: nothing is lost, nothing is stuck."""

import asyncio
from collections.abc import Callable

import pytest

from services.common import metrics
from services.common.errors import Stop
from services.indexer.writer import Limits
from tests.fixtures.faultproxy import FaultProxy
from tests.fixtures.kafka_elastic import Factory
from tests.integration.indexer.world import World, page, running, until
from tests.integration.indexer.world import world as make

pytestmark = pytest.mark.integration
Proxy = Callable[[str], FaultProxy]
SMALL = Limits(records=100, linger=0.1)


async def written(world: World, count: int) -> None:
    async def all_there() -> bool:
        return await world.count() == count

    await until(all_there, within=60)


async def committed(world: World, count: int) -> None:
    async def all_stored() -> bool:
        return sum((await world.committed()).values()) == count

    await until(all_stored)


async def test_an_index_that_is_too_busy_slows_us_down_and_loses_nothing(
    world: World, elastic: str, faultproxy: Proxy
) -> None:
    proxy = faultproxy(elastic)
    async with running(world, through=proxy.url, limits=SMALL):
        proxy.refuse(429, match="/_bulk", times=6)
        proxy.refuse(503, match="/_bulk", times=2)
        await world.say(*(page(n) for n in range(1_000)))
        await written(world, 1_000)
        await committed(world, 1_000)
    assert (proxy.answers[429], proxy.answers[503]) == (6, 2)
    assert await world.letters() == []


async def test_cut_connections_lose_nothing(world: World, elastic: str, faultproxy: Proxy) -> None:
    proxy = faultproxy(elastic)
    async with running(world, through=proxy.url, limits=SMALL):
        proxy.cut(match="/_bulk", times=5)
        await world.say(*(page(n) for n in range(1_000)))
        await written(world, 1_000)
        await committed(world, 1_000)
    assert proxy.answers[0] == 5
    assert await world.letters() == []


async def test_while_the_index_is_away_partitions_are_paused_and_memory_is_bounded(
    world: World, elastic: str, faultproxy: Proxy
) -> None:
    proxy = faultproxy(elastic)
    async with running(world, through=proxy.url, limits=SMALL) as tasks:
        proxy.refuse(429, match="/_bulk")
        await world.say(*(page(n, text="text " * 100) for n in range(5_000)))
        await asyncio.sleep(8)  # longer than several polls: a member that stopped polling or took all would show it
        assert not any(task.done() for task in tasks)
        assert sum((await world.committed()).values()) <= 0
        held = metrics.BULK_HELD._value.get()
        proxy.heal()
        await written(world, 5_000)
    assert 100 <= held <= 300  # two requests under way and one gathered
    assert await world.letters() == []


async def test_an_index_that_refuses_us_stops_the_service_with_its_offsets_unmoved(
    world: World, elastic: str, faultproxy: Proxy
) -> None:
    proxy = faultproxy(elastic)
    async with running(world, through=proxy.url) as tasks:
        proxy.refuse(403, match="/_bulk")
        await world.say(*(page(n) for n in range(10)))
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        (error,) = [task.exception() for task in done]
        assert isinstance(error, Stop)
        assert "403" in str(error)
        assert sum(offset for offset in (await world.committed()).values() if offset > 0) == 0
    assert await world.letters() == []


async def test_poison_goes_to_the_dead_letters_with_its_origin_and_the_rest_flows(world: World) -> None:
    async with running(world):
        for start in range(0, 1_000, 100):
            await world.say(*(page(n) for n in range(start, start + 100)))
            await world.say_bytes(f"poison{start}", b"\x00\x00\x0fnot avro")
        await written(world, 1_000)
        await committed(world, 1_010)
    letters = await world.letters()
    assert len(letters) == 10
    assert {letter["key"] for letter in letters} == {f"poison{start}".encode() for start in range(0, 1_000, 100)}
    for letter in letters:
        assert letter["value"] == b"\x00\x00\x0fnot avro"
        assert letter["service"] == "indexer"
        assert letter["topic"].endswith("enriched.v1")
        assert letter["offset"] >= 0
        assert "schema id" in letter["reason"]


async def test_a_flood_of_poison_stops_the_service(world: World) -> None:
    async with running(world) as tasks:
        for number in range(300):
            await world.say_bytes(f"poison{number}", b"junk")
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        (error,) = [task.exception() for task in done]
    assert isinstance(error, Stop)
    assert "in a row" in str(error)


async def test_elasticsearch_stopped_in_the_middle(kafka: str, breakable_elastic: Factory) -> None:
    server = await breakable_elastic()
    async with make(kafka, server.url) as world, running(world, limits=SMALL):
        await world.say(*(page(n) for n in range(500)))
        await written(world, 500)
        await server.stop()
        await world.say(*(page(n) for n in range(500, 2_000)))
        await asyncio.sleep(10)
        await server.start()
        await written(world, 2_000)
        await committed(world, 2_000)
        assert await world.letters() == []
