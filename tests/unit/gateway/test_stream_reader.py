"""Connections at the head are the hubs' alone: nothing of the request is held, and who goes is noticed at once."""

import asyncio

from aiohttp.test_utils import TestServer

from tests.fixtures.stack import eventually
from tests.unit.gateway.test_stream import datas
from tests.unit.gateway.world import HALL, World, ids, said, world


def served(w: World) -> int:
    """Return how many connections aiohttp serves: each with its parser, request and tasks."""
    assert isinstance(w.client.server, TestServer)
    runner = w.client.server.runner
    assert runner is not None
    assert runner.server is not None
    return len(runner.server.connections)


async def test_a_stream_at_the_head_holds_nothing_of_its_request() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as one, w.listening(q="heron") as other:
            await one.begun()
            await other.begun()
            await eventually(lambda: len(w.parts.hub.readers) == 2, what="both are at the head", pause=0.01)
            await eventually(lambda: served(w) == 0, what="neither is aiohttp's any more", pause=0.01)
            await w.happens(said(1, text="a heron"))
            for stream in (one, other):
                assert ids(datas(await stream.until(1))) == ["chat:1#chat.message"]


async def _raw(w: World) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = w.client.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/stream?as=ann HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await reader.readuntil(b"id: ")
    await eventually(lambda: len(w.parts.hub.readers) == 1, what="it is at the head", pause=0.01)
    return reader, writer


async def test_a_reader_that_goes_is_noticed_at_once_and_counted_no_more() -> None:
    async with world(gateway_streams_per_person=1) as w:
        for _ in range(3):
            _, writer = await _raw(w)
            assert (await w.get("/v1/stream")).status == 503
            writer.close()
            await eventually(lambda: not len(w.parts.streams), what="it is gone", pause=0.01)
            assert len(w.parts.hub.readers) == 0


async def test_what_a_reader_sends_later_is_passed_over() -> None:
    async with world() as w:
        await w.opened(HALL)
        reader, writer = await _raw(w)
        writer.write(b"GET /v1/me HTTP/1.1\r\n\r\n" * 100)
        await writer.drain()
        await w.happens(said(1))
        assert b"chat:1#" in await reader.readuntil(b"chat:1#")
        writer.close()


async def test_the_end_of_a_stream_is_the_end_of_its_connection() -> None:
    async with world() as w:
        reader, writer = await _raw(w)
        next(iter(w.parts.streams._open)).end("life")
        assert (await reader.read()).endswith(b"\r\n0\r\n\r\n")
        writer.close()
        async with w.listening() as stream:
            assert stream.answer.headers["Connection"] == "close"
