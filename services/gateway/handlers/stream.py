"""``GET /v1/stream``: live feeds as server-sent events or JSON lines."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from services.common import metrics
from services.common.errors import Retry
from services.gateway import filters as asked
from services.gateway import follows
from services.gateway.filters import Filters
from services.gateway.follows import Mine
from services.gateway.handlers.me import somebody
from services.gateway.keys import ADDRESSES, ADMISSION, ASKER, FOR_YOU_HUB, HUB, REACTIONS, REMEMBERED, REPLAYS, STREAMS
from services.gateway.problems import Problem, not_found
from services.gateway.respond import VARY
from services.gateway.stream import sets, start, tokens, wire
from services.gateway.stream.connection import Connection
from services.gateway.stream.hub import Hub
from services.gateway.stream.position import NotAPosition
from services.gateway.stream.reader import take_over
from services.gateway.stream.replay import Replay
from services.gateway.stream.selection import Feed, Question, Selection
from services.gateway.stream.streams import Stream
from services.gateway.stream.wire import Form

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": VARY}
COUNTS = "unread"
"""Value of ``counts``: what is unread is told at the beginning, and when it changes."""
_EVERYWHERE = ("counts", "last_event_id", tokens.PARAMETER)
_WRITE_SECONDS = 30.0
"""A reader that takes nothing for so long while it is replayed to is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is to be read: questions to feeds, and where they stand where they have a name of their own."""

    hubs: Mapping[str, Hub]
    selections: Mapping[str, Selection]
    since: datetime | None = None
    set: str = ""
    asked: Callable[[], Mapping[str, Selection]] = dict
    """Returns what is asked of each feed now; ``changes``: by itself."""
    changes: bool = False
    counts: bool = False
    """How much is unread is to be told as well."""


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer with the stream. Once it is at the head it goes on without this handler: see ``stream.reader``."""
    wish = _wish(request)
    brought = _brought(request, wish.since)
    streams, admission = request.app[STREAMS], request.app[ADMISSION]
    if streams.closing or any(hub.closing for hub in wish.hubs.values()):
        raise Problem(503, "not-yet", "the gateway is about to stop", retry_after=2)
    who = await _counted_as(request)
    admission.enter(*who)
    goes_on = False
    try:
        starts = await _starts(wish, brought)
        life = streams.life()
        response = _response(request, starts, life)
        with suppress(ConnectionResetError):
            await response.prepare(request)
            if request.transport is not None:
                one = _open(request, response, wish, starts)
                goes_on = await _served(request, response, one, starts, life=life, left=partial(admission.leave, *who))
        return response
    finally:
        if not goes_on:
            admission.leave(*who)


async def _served(
    request: web.Request,
    response: web.StreamResponse,
    one: Stream,
    starts: Mapping[str, start.Start],
    *,
    life: int,
    left: Callable[[], None],
) -> bool:
    """Bring a stream to the head and let it go on by itself; returns whether it does. ``left`` is told of its end."""
    streams = request.app[STREAMS]
    streams.opened(one, life)
    goes_on = False
    try:
        goes_on = await _Beginning(request, response, one, starts).run()
    finally:
        if not goes_on:
            streams.gone(one)
    if goes_on:

        def lost() -> None:
            streams.gone(one)
            left()

        take_over(request, lost)
        one.first.ended.add_done_callback(one.close)
    return goes_on


async def _counted_as(request: web.Request) -> tuple[str, str]:
    """Return whose stream it is and from where; where there are too many, those that are gone are let go of first."""
    person, address = request[ASKER].person, request.app[ADDRESSES].of(request)
    if request.app[ADMISSION].full(person, address):
        request.app[STREAMS].forget_gone()
        await asyncio.sleep(0)  # their handlers end
    return person, address


def _wish(request: web.Request) -> _Wish:
    if asked.one(request.query, "counts") not in ("", COUNTS):
        raise asked.wrong("counts", f"{COUNTS} is expected")
    wish = _questions(request)
    return replace(wish, counts=bool(somebody(request))) if asked.one(request.query, "counts") else wish


def _questions(request: web.Request) -> _Wish:
    name = asked.one(request.query, "set")
    hubs = {"all": request.app[HUB], "for-you": request.app[FOR_YOU_HUB]}
    if name:
        asked.only(request.query, "set", *_EVERYWHERE)
        return _of_set(request, name)
    asked.only(request.query, *asked.FIELDS, "since", "until", "q", "feed", "set", *_EVERYWHERE)
    wanted = asked.read(request.query)
    feed = sets.feed_of(asked.one(request.query, "feed") or "all")
    if own := sets.own_feed(feed):
        return _own(request, own, wanted)
    if feed == "for-you" and not request[ASKER].person:
        raise Problem(401, "who-asks", "for-you is somebody's own feed; say who you are, in demo mode by ?as=PERSON.")
    return _Wish(hubs={feed: hubs[feed]}, selections={feed: Selection.one(wanted)}, since=wanted.since)


def _mine(request: web.Request) -> Callable[[], Mine]:
    """Return how to ask what the asker follows, and what their rules do, now."""
    person, reactions, remembered = somebody(request).person, request.app[REACTIONS], request.app[REMEMBERED]
    return lambda: follows.mine(reactions, remembered, person)


def _own(request: web.Request, feed: Feed, wanted: Filters) -> _Wish:
    """Return what is asked of a feed of the asker's own; it changes with follows and rules while it is open."""
    mine = _mine(request)

    def now() -> Mapping[str, Selection]:
        return {feed: Selection.of(mine().asked(feed, wanted))}

    return _Wish(hubs={feed: request.app[HUB]}, selections=now(), since=wanted.since, asked=now, changes=True)


def _of_set(request: web.Request, name: str) -> _Wish:
    """Return the subscriptions of a set; they change when it does, and with what the asker follows."""
    mine, remembered, person = _mine(request), request.app[REMEMBERED], request[ASKER].person
    subscriptions = _subscriptions(request, name)

    def now() -> Mapping[str, Selection]:  # does not hold the request, which is let go of
        return sets.selections(sets.of(remembered, person, name) or {}, mine)

    hubs = {feed: request.app[HUB if feed == "all" else FOR_YOU_HUB] for feed in sets.HUBS}
    changes = sets.follows(subscriptions)
    return _Wish(hubs=hubs, selections=now(), set=name, asked=now, changes=changes)


def _subscriptions(request: web.Request, name: str) -> sets.Subscriptions:
    found = sets.of(request.app[REMEMBERED], request[ASKER].person, name)
    if found is None:
        raise not_found()
    return found


def _brought(request: web.Request, since: datetime | None) -> start.Asked:
    # The header is the browser's own on reconnecting, so it is newer than what stands in the address.
    in_address = asked.one(request.query, "last_event_id")
    try:
        return start.read(request.headers.get("Last-Event-ID") or in_address, also=in_address, since=since)
    except NotAPosition:
        raise Problem(
            400, "bad-cursor", "Last-Event-ID is not an id of this stream; leave it out to begin at the head."
        ) from None


async def _starts(wish: _Wish, brought: start.Asked) -> dict[str, start.Start]:
    try:
        return await start.find(wish.hubs, brought)
    except Retry as error:
        raise Problem(503, "not-yet", str(error), retry_after=1) from error


def _response(request: web.Request, starts: Mapping[str, start.Start], life: int) -> web.StreamResponse:
    kind = "text/event-stream; charset=utf-8" if _form(request) is Form.SSE else "application/x-ndjson"
    response = web.StreamResponse(headers={**_HEADERS, "Content-Type": kind, "Watercooler-Stream-Seconds": str(life)})
    if lost := [one.lost for one in starts.values() if one.lost]:
        response.headers["Watercooler-Reset"] = lost[0]
    response.force_close()  # its end is that of the connection: no other request may be sent over it
    if request.version >= (1, 1):
        response.enable_chunked_encoding()
    return response


def _open(request: web.Request, response: web.StreamResponse, wish: _Wish, starts: Mapping[str, start.Start]) -> Stream:
    assert request.transport is not None, "looked at before"
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    connections = {}
    for feed, selection in wish.selections.items():
        connections[feed] = Connection(
            request.transport,
            request[ASKER],
            selection,
            _form(request),
            chunked=bool(response.chunked),
            ended=ended,
        )
        connections[feed].place = starts[feed].position.text
        connections[feed].shown = starts[feed].shown
    for one in connections.values():
        one.beside = [other for other in connections.values() if other is not one]
    return Stream(request[ASKER], connections, wish.hubs, wish.set, wish.asked, wish.changes, wish.counts)


class _Beginning:
    """One stream from its opening to the head."""

    def __init__(
        self,
        request: web.Request,
        response: web.StreamResponse,
        one: Stream,
        starts: Mapping[str, start.Start],
    ) -> None:
        self._request = request
        self._response = response
        self._stream = one
        self._starts = starts
        self._form = _form(request)

    async def run(self) -> bool:
        """Open and bring every feed to its head, from where the hubs write. Returns False where the reader is cut."""
        try:
            await self._write(self._opening())
            for feed, connection in self._stream.connections.items():
                await self._catch_up(self._stream.hubs[feed], connection, self._starts[feed])
        except TimeoutError:
            metrics.STREAM_CUT.labels("slow").inc()
            if self._request.transport is not None:
                self._request.transport.abort()
            return False
        except Retry:
            # The answer has begun, so no problem document can be sent: the reader comes back with its last id.
            metrics.STREAM_CUT.labels("kafka").inc()
            self._stream.end("kafka")
        return True

    def _opening(self) -> bytes:
        one, form = self._stream, self._form
        blocks = [wire.opening(form, one.place(), _soon())]
        for feed, place in self._starts.items():
            if place.lost:
                refill = _refill(feed, one.connections[feed].selection)
                blocks.append(wire.said(form, one.place(), "reset", {"reason": place.lost, "feed": feed, **refill}))
        if one.name:
            # Read anew: it may have been changed since it was asked for, before changes were told to this stream.
            subscriptions = _subscriptions(self._request, one.name)
            one.changes = sets.follows(subscriptions)
            for feed, selection in one.asked().items():
                one.connections[feed].selection = selection
            blocks.append(wire.said(form, one.place(), "subscriptions", subscriptions))
        return b"".join(blocks)

    async def _catch_up(self, hub: Hub, connection: Connection, at: start.Start) -> None:
        hub.replaying.add(connection)
        try:
            turns = self._request.app[REPLAYS]
            if not await Replay(hub, connection, at.position, self._write, turns).run():
                self._stream.end("gone")
        finally:
            hub.replaying.discard(connection)

    async def _write(self, blocks: bytes) -> None:
        async with asyncio.timeout(_WRITE_SECONDS):
            await self._response.write(blocks)


def _refill(feed: str, selection: Selection) -> dict[str, object]:
    """Return the address of the page to read what was missed from; for several questions each has its own."""
    if own := sets.own_feed(feed):
        return {"refill": f"/v1/me/{own}"}
    pages = {name: _page(feed, question) for name, question in selection.parts}
    return {"refill": pages[""] if tuple(pages) == ("",) else pages}


def _page(feed: str, question: Question) -> str:
    if feed == "for-you":
        return "/v1/me/for-you"
    if question.feed:
        return f"/v1/me/{question.feed}"
    query = urlencode(question.filters.pairs())
    return "/v1/activities" + (f"?{query}" if query else "")


def _form(request: web.Request) -> Form:
    accept = request.headers.get("Accept", "")
    lines = "ndjson" in accept or "jsonl" in accept or "application/json" in accept
    return Form.LINES if lines and "text/event-stream" not in accept else Form.SSE


def _soon() -> int:
    return random.randint(800, 1600)  # noqa: S311 - spreads readers, guards nothing
