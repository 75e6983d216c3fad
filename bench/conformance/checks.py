"""The promises, one function each; its docstring is the promise. They are tried one after the other."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import uuid4

from bench.conformance.target import Stream, Target, Untried, require

Check = Callable[[Target], Awaitable[None]]
CHECKS: list[Check] = []
_SOME = 8
_QUIET = 0.3
"""Seconds in which nothing more may come, where nothing may."""


def promise(check: Check) -> Check:
    """Take a function among the promises."""
    CHECKS.append(check)
    return check


@promise
async def fit_for_proxies(target: Target) -> None:
    """The answer is text/event-stream, is not stored, and is not buffered by proxies."""
    async with target.open() as stream:
        await stream.begun()
        headers = stream.answer.headers
        require(stream.answer.content_type == "text/event-stream", f"Content-Type is {stream.answer.content_type}")
        require("no-sto" in headers.get("Cache-Control", ""), "Cache-Control is not no-store")
        require(headers.get("X-Accel-Buffering") == "no", "X-Accel-Buffering is not no")
        require("Content-Encoding" not in headers, "it is compressed, though nobody asked for that")


@promise
async def begins_with_an_id(target: Target) -> None:
    """An id comes at once, before any event."""
    async with target.open() as stream:
        await stream.begun()
        require(not stream.events[0].data, "the first block carries data")


@promise
async def states_its_life(target: Target) -> None:
    """The answer says how long the stream may last, and when to come back differs from reader to reader."""
    said = set()
    for _ in range(4):
        async with target.open() as stream:
            await stream.begun()
            said.add(stream.retry)
            seconds = stream.answer.headers.get("Watercooler-Stream-Seconds", "")
            require(seconds.isdigit(), "no header says how long it may last")
    require(None not in said, "no retry: is given")
    require(len(said) > 1, f"every reader is told the same retry: {said}")


@promise
async def live(target: Target) -> None:
    """What happens arrives, in JSON, with an id."""
    async with target.open() as stream:
        start = await stream.begun()
        await target.happen(1)
        await stream.count(1)
        (event, *_) = stream.given()
        require(event.id not in ("", start), "the event has no id of its own")


async def _some(target: Target, stream: Stream) -> tuple[str, list[str], list[str]]:
    """Let some events happen; return the first id, the id of each event and the names."""
    start = await stream.begun()
    await target.happen(_SOME)
    names = await stream.count(_SOME)
    require(len(names) == len(set(names)), "an event came twice")
    return start, [event.id for event in stream.given()], names


async def _resumes(target: Target, url: str) -> None:
    async with target.open() as stream:
        start, ids, names = await _some(target, stream)
    for number, last in enumerate([start, *ids]):
        async with target.open(url=url, last=last) as again:
            await again.count(_SOME - number)
            await asyncio.sleep(_QUIET)
            rest = again.keys()
            require(
                Counter(rest) == Counter(names[number:]), f"behind event {number}: {len(rest)}, not {_SOME - number}"
            )


@promise
async def resumes(target: Target) -> None:
    """From the id of any event, and from the one before the first, the rest comes: nothing lost, nothing twice."""
    await _resumes(target, target.urls[0])


@promise
async def resumes_elsewhere(target: Target) -> None:
    """Another process of the gateway goes on from the ids of this one."""
    if len(target.urls) < 2:
        raise Untried("one process only was given")
    await _resumes(target, target.urls[1])


@promise
async def churn(target: Target) -> None:
    """Readers that are cut all the time, and come back to whichever process, lose nothing and get nothing twice."""
    readers, count = 6, 60
    names: list[list[str]] = [[] for _ in range(readers)]
    last = [""] * readers
    done = asyncio.Event()

    async def read(number: int) -> None:
        draw = random.Random(number)
        while not (done.is_set() and len(names[number]) >= count):
            async with target.open(url=draw.choice(target.urls), last=last[number]) as stream:
                await stream.begun()
                started.release()
                await asyncio.sleep(draw.uniform(0.0, 0.4))
                names[number] += stream.keys()
                last[number] = stream.last

    started = asyncio.Semaphore(0)
    reading = asyncio.gather(*map(read, range(readers)))
    for _ in range(readers):
        await started.acquire()
    for _ in range(6):
        await target.happen(count // 6)
        await asyncio.sleep(0.1)
    done.set()
    await asyncio.wait_for(reading, target.patience)
    for seen in names:
        require(len(seen) == len(set(seen)) == count, f"{len(set(seen))} of {count} came, {len(seen)} in all")


@promise
async def a_strange_id_is_told(target: Target) -> None:
    """An id that is none is answered with a problem or a reset, never with silence."""
    async with target.open(last="this-is-none") as stream:
        if stream.answer.status == 200:
            await stream.until(lambda: any(e.type == "reset" for e in stream.events), "a reset")
        else:
            require(stream.answer.status == 400, f"it was answered with {stream.answer.status}")
            require(stream.answer.content_type == "application/problem+json", "it is not a problem document")


@promise
async def a_lost_place_is_told(target: Target) -> None:
    """A place that is gone is told by event and header, with a page to refill from; then the stream goes on."""
    if not target.stale:
        raise Untried("no id of a lost place was given (--stale)")
    async with target.open(last=target.stale) as stream:
        await stream.until(lambda: any(e.type == "reset" for e in stream.events), "a reset")
        said = json.loads(next(e.data for e in stream.events if e.type == "reset"))
        require(stream.answer.headers.get("Watercooler-Reset") == said["reason"], "the header does not say it")
        async with target.ask(said["refill"]) as page:
            require(page.status == 200, f"the page to refill from was answered with {page.status}")
        await target.happen(1)
        await stream.count(1)


@promise
async def either_end(target: Target) -> None:
    """A stream can be begun at the oldest record kept, and at the newest."""
    await target.happen(1)
    async with target.open(last_event_id="earliest") as stream:
        await stream.count(1)
    async with target.open(last_event_id="latest") as stream:
        await stream.begun()
        await target.happen(1)
        require(len(await stream.count(1)) == 1, "more than what happened came")


@promise
async def heartbeat(target: Target) -> None:
    """A reader whose filter lets nothing through hears something within 20 s, and its id moves on."""
    async with target.open(q=f"nothing-like-{uuid4().hex}") as stream:
        first = await stream.begun()
        await target.happen(1)
        await stream.until(lambda: stream.last != first, "an id that moved on", within=20)
        require(not stream.given(), "an event came through the filter")


@promise
async def lines(target: Target) -> None:
    """The same stream comes as JSON lines by Accept."""
    headers = {**target.headers, "Accept": "application/x-ndjson"}
    async with target.session.get(target.urls[0] + target.path, params=target.params, headers=headers) as answer:
        require(answer.content_type == "application/x-ndjson", f"Content-Type is {answer.content_type}")
        first = json.loads(await asyncio.wait_for(answer.content.readline(), target.patience))
        require(bool(first.get("cursor")), "the first line has no cursor")
        await target.happen(1)
        line = json.loads(await asyncio.wait_for(answer.content.readline(), target.patience))
        require(bool(line.get("activity")), "the line has no activity")


@promise
async def a_page_goes_on_live(target: Target) -> None:
    """A page says from which id to go on live, in the body and in the Link header, without a gap and a repetition."""
    await target.happen(2)
    async with target.ask(target.page) as answer:
        require(answer.status == 200, f"the page was answered with {answer.status}")
        page = await answer.json(content_type=None)
        linked = [str(one["url"]) for one in answer.links.getall("alternate", []) if one.get("last-event-id")]
    require(page.get("stream") in linked, "Link does not say what the body says")
    shown = {str(item[target.key]) for item in page["orderedItems"]}
    async with target.open(address=page["stream"]) as stream:
        await stream.begun()
        await target.happen(2)
        await stream.count(2)
        await asyncio.sleep(_QUIET)
        require(not shown.intersection(stream.keys()), "what the page shows came once more")


@promise
async def several_at_once(target: Target) -> None:
    """One connection reads several questions, which are changed while it is open."""
    if not target.sets:
        raise Untried("there is no address for sets")
    name = f"conformance-{uuid4().hex[:8]}"
    address = f"{target.urls[-1]}{target.sets}/{name}"  # the last process is told, the first one reads

    async def ask(**subscriptions: str) -> None:
        body = {"subscriptions": subscriptions}
        async with target.session.put(address, params=target.params, headers=target.headers, json=body) as answer:
            require(answer.status < 300, f"changing it was answered with {answer.status}")

    await ask(one="", nothing=f"q={uuid4().hex}")
    async with target.open(set=name) as stream:
        await stream.begun()
        await target.happen(1)
        await stream.until(lambda: len(stream.given()) == 1, "the event")
        require(json.loads(stream.given()[0].data)["for"] == ["one"], "it is not said which question it answers")
        await ask(other="")
        await stream.until(lambda: sum(e.type == "subscriptions" for e in stream.events) == 2, "word of the change")
        await target.happen(1)
        await stream.until(lambda: len(stream.given()) == 2, "the second event")
        require(json.loads(stream.given()[1].data)["for"] == ["other"], "the change has no effect")
    async with target.session.delete(address, params=target.params, headers=target.headers) as answer:
        require(answer.status < 300, f"removing it was answered with {answer.status}")


@promise
async def bounded(target: Target) -> None:
    """One stream too many is refused with Retry-After, and nobody is put out for it."""
    if not target.limit:
        raise Untried("no limit was given (--limit)")
    streams = []
    try:
        for _ in range(target.limit):
            opened = target.open()
            streams.append((opened, await opened.__aenter__()))
            await streams[-1][1].begun()
        async with target.open() as more:
            require(more.answer.status in (429, 503), f"one too many was answered with {more.answer.status}")
            require("Retry-After" in more.answer.headers, "no Retry-After")
        require(not any(stream.ended for _, stream in streams), "another one was put out for it")
    finally:
        for opened, _ in streams:
            await opened.__aexit__(None, None, None)


@promise
async def drains(target: Target) -> None:
    """A process that stops ends its streams orderly, and they go on elsewhere or after it: nothing lost or twice."""
    if target.restart is None:
        raise Untried("nothing was given that starts the process anew (--restart)")
    async with target.open() as stream:
        await stream.begun()
        await target.happen(_SOME)
        before = await stream.count(_SOME)
        restarting = asyncio.ensure_future(target.restart())
        await stream.until(lambda: stream.ended, "the end of the stream")
        require(stream.retry is not None, "the end does not say when to come back")
        last = stream.last
    await target.happen(_SOME)
    await restarting
    for url in target.urls:
        async with target.open(url=url, last=last) as again:
            rest = await again.count(_SOME)
            require(len({*before, *rest}) == len(before) + len(rest) == 2 * _SOME, "events were lost, or came twice")
