"""The live stream on real Kafka: cuts and restarts lose and double nothing, a revocation holds at once."""

import asyncio
import random
from collections import Counter
from contextlib import suppress

import pytest
from aiohttp import ClientError

from tests.integration.gateway.conftest import Servers
from tests.unit.gateway.test_stream import datas
from tests.unit.gateway.world import HALL, ROOM, World, ids, said, world

pytestmark = pytest.mark.integration


class Cut:
    """A reader that is cut now and then and comes back with its last id, to whichever gateway there is."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.last = ""
        self.cuts = 0

    async def read(self, w: World, seed: int) -> None:
        """Read until cancelled."""
        draw = random.Random(seed)
        while True:
            with suppress(ClientError, asyncio.TimeoutError):
                async with w.listening(as_=f"person{seed}", last=self.last) as stream:
                    try:
                        await asyncio.sleep(draw.uniform(0.02, 0.6))
                    finally:
                        self.seen += ids(datas(stream.of()))
                        self.last = stream.last or self.last
                        assert not stream.of("reset")
            self.cuts += 1


async def test_every_id_is_seen_once_over_cuts_and_a_restart(servers: Servers) -> None:
    readers = [Cut() for _ in range(6)]
    count = 600

    async def serve(numbers: range) -> None:
        async with world(servers.bus, servers.search) as w:
            await w.opened(HALL)
            reading = [asyncio.create_task(one.read(w, n)) for n, one in enumerate(readers)]
            await asyncio.sleep(1)
            for start in range(numbers.start, numbers.stop, 20):
                await w.happens(*(said(n) for n in range(start, start + 20)), index=False)
                await asyncio.sleep(0.03)
            await asyncio.sleep(1.5)
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)

    await serve(range(count // 2))
    await serve(range(count // 2, count))  # another process would know no more than this one
    async with world(servers.bus, servers.search) as w:
        for number, one in enumerate(readers):
            async with w.listening(as_=f"person{number}", last=one.last) as stream:
                await stream.until(max(0, count - len(one.seen)), within=20)
                one.seen += ids(datas(stream.of()))
    for one in readers:
        assert Counter(one.seen) == Counter(f"chat:{n}#chat.message" for n in range(count))
        assert one.cuts > 3


async def test_a_position_that_memory_has_forgotten_is_gone_on_from_in_kafka(servers: Servers) -> None:
    async with world(servers.bus, servers.search) as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = await stream.begun()
        w.parts.hub.ring._most = 10
        await w.happens(*(said(n) for n in range(300)), index=False)
        async with w.listening(last=start) as again:
            seen = ids(datas(await again.until(300, within=20)))
            await w.happens(said(300), index=False)
            seen += ids(datas(await again.until(301, within=20)))[300:]
        assert Counter(seen) == Counter(f"chat:{n}#chat.message" for n in range(301))


async def test_a_new_place_is_open_from_its_first_activity_on(servers: Servers) -> None:
    async with world(servers.bus, servers.search) as w, w.listening() as stream:
        await stream.begun()
        for number in range(5):
            place = f"chat:new{number}"
            await w.publish_access(place)
            await w.happens(said(number, where=place), index=False)  # at once: the gateway has to look for the record
        assert sorted(ids(datas(await stream.until(5)))) == [f"chat:{n}#chat.message" for n in range(5)]


async def test_a_revocation_holds_for_stream_and_search(servers: Servers) -> None:
    async with world(servers.bus, servers.search) as w:
        await w.opened(ROOM, "bob")
        async with w.listening(as_="bob") as stream:
            start = await stream.begun()
            await w.happens(said(1, where=ROOM))
            await stream.until(1)
            assert (await w.json("/v1/activities", as_="bob"))["totalItems"] == 1
            await w.opened(ROOM, "carl")
            await w.opened(HALL)
            await w.happens(said(2, where=ROOM), said(3))
            assert sorted(ids(datas(await stream.until(2)))) == ["chat:1#chat.message", "chat:3#chat.message"]
        async with w.listening(as_="bob", last=start) as again:
            assert ids(datas(await again.until(1))) == ["chat:3#chat.message"]
        page = await w.json("/v1/activities", as_="bob")
        assert ids(page["orderedItems"]) == ["chat:3#chat.message"]
        assert (await w.get("/v1/objects/chat:1", as_="bob")).status == 404
