"""``GET /v1/stream``: the live feed as server-sent events or JSON lines."""

import asyncio
import random
from contextlib import suppress
from urllib.parse import urlencode

from aiohttp import web

from services.common import metrics
from services.common.errors import Retry
from services.gateway import filters as asked
from services.gateway.keys import ADMISSION, ASKER, FOR_YOU_HUB, HUB, REPLAYS
from services.gateway.problems import Problem
from services.gateway.stream import wire
from services.gateway.stream.connection import Connection
from services.gateway.stream.hub import Hub
from services.gateway.stream.position import NotAPosition, Position, unpacked
from services.gateway.stream.replay import Lost, Replay, check
from services.gateway.stream.wire import Form

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept, Authorization, Cookie"}
_WRITE_SECONDS = 30.0
"""A reader that takes nothing for so long while it is replayed to is cut."""


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer with the stream, for as long as it is read."""
    asked.only(request.query, *asked.FIELDS, "since", "until", "q", "feed", "last_event_id")
    wanted = asked.read(request.query)
    hub = _hub(request)
    start = _start(request)
    if hub.closing:
        raise Problem(503, "not-yet", "the gateway is about to stop", retry_after=2)
    asker = request[ASKER]
    with request.app[ADMISSION].admitted(asker.person, request.remote or ""):
        lost = await _lost(hub, start)
        form = _form(request)
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": _content_type(form)})
        if lost:
            response.headers["Watercooler-Reset"] = lost
        chunked = request.version >= (1, 1)
        if chunked:
            response.enable_chunked_encoding()
        else:
            response.force_close()
        with suppress(ConnectionResetError):
            await response.prepare(request)
            if request.transport is not None:
                connection = Connection(request.transport, asker, wanted, form, chunked=chunked)
                await _serve(hub, connection, response, None if lost else start, lost, request.app[REPLAYS])
        return response


async def _lost(hub: Hub, start: Position | None) -> str:
    """Return why a position cannot be gone on from, empty where it can; raises Problem where that is not known yet."""
    try:
        if start is not None:
            await check(hub, start)
    except Lost as error:
        return str(error)
    except Retry as error:
        raise Problem(503, "not-yet", str(error), retry_after=1) from error
    return ""


async def _serve(
    hub: Hub,
    connection: Connection,
    response: web.StreamResponse,
    start: Position | None,
    lost: str,
    turns: asyncio.Semaphore,
) -> None:
    form = connection.form
    at = start or hub.position()
    opening = wire.opening(form, at.text(), _soon())
    if lost:
        opening += wire.reset(form, at.text(), lost, refill(connection))

    async def write(blocks: bytes) -> None:
        async with asyncio.timeout(_WRITE_SECONDS):
            await response.write(blocks)

    hub.replaying.add(connection)
    try:
        await write(opening)
        joined = await Replay(hub, connection, at, write, turns).run()
    except TimeoutError:
        metrics.STREAM_CUT.labels("slow").inc()
        connection.transport.abort()
        return
    except Retry:
        # The answer has begun, so no problem document can be sent: the reader comes back with its last id.
        metrics.STREAM_CUT.labels("kafka").inc()
        await response.write(wire.goodbye(form, _later()))
        return
    finally:
        hub.replaying.discard(connection)
    if joined:
        await _live(hub, connection, response)


async def _live(hub: Hub, connection: Connection, response: web.StreamResponse) -> None:
    """Stay until the stream ends; the hub writes."""
    try:
        why = await connection.ended
    finally:
        hub.leave(connection)
    if why not in ("gone", "slow") and not connection.transport.is_closing():
        await response.write(wire.goodbye(connection.form, _later()))


def refill(connection: Connection) -> str:
    """Return the address of the page to read what was missed from."""
    query = urlencode(connection.filters.pairs())
    return "/v1/activities" + (f"?{query}" if query else "")


def _hub(request: web.Request) -> Hub:
    feed = asked.one(request.query, "feed") or "all"
    if feed == "all":
        return request.app[HUB]
    if feed != "for-you":
        raise asked.wrong("feed", "all or for-you is expected")
    if not request[ASKER].person:
        raise Problem(401, "who-asks", "for-you is somebody's own feed; say who you are, in demo mode by ?as=PERSON.")
    return request.app[FOR_YOU_HUB]


def _start(request: web.Request) -> Position | None:
    # The header is the browser's own on reconnecting, so it is newer than what stands in the address.
    given = request.headers.get("Last-Event-ID") or asked.one(request.query, "last_event_id")
    if not given:
        return None
    try:
        return unpacked(given)
    except NotAPosition:
        raise Problem(
            400, "bad-cursor", "Last-Event-ID is not an id of this stream; leave it out to begin at the head."
        ) from None


def _form(request: web.Request) -> Form:
    accept = request.headers.get("Accept", "")
    lines = "ndjson" in accept or "jsonl" in accept or "application/json" in accept
    return Form.LINES if lines and "text/event-stream" not in accept else Form.SSE


def _content_type(form: Form) -> str:
    return "text/event-stream; charset=utf-8" if form is Form.SSE else "application/x-ndjson"


def _soon() -> int:
    return random.randint(800, 1600)  # noqa: S311 - spreads readers, guards nothing


def _later() -> int:
    return random.randint(1000, 5000)  # noqa: S311
