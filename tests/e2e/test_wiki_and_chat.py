"""A real wiki and a real home server through the whole stack: edits, moves, deletions, redactions, hidden versions."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.e2e.client import configure, documents, get, log_of, page_of
from tests.fixtures.mediawiki import MediaWiki
from tests.fixtures.sse import StreamReader
from tests.fixtures.stack import Stack, eventually
from tests.fixtures.synapse import Synapse

pytestmark = [pytest.mark.e2e, pytest.mark.may_block("the servers are driven by blocking calls")]

SECRET = "quokkasecret"


async def watching(stack: Stack) -> tuple[StreamReader, asyncio.Task[None]]:
    reader = StreamReader(url=stack.url, person="person:1")
    task = asyncio.create_task(reader.run())
    await eventually(lambda: reader.last_id, what="the reader has an id to come back with", stack=stack)
    return reader, task


def seen(reader: StreamReader, text: str) -> bool:
    return any(text in json.dumps(one, ensure_ascii=False) for one in reader.activities)


async def nowhere(stack: Stack, since: str) -> None:
    """The secret is in no index, no newest record of the log, and no stream resumed from before the deletion."""

    async def gone() -> bool:
        logs = [await log_of(stack, topic) for topic in ("activity.v1", "enriched.v1", "public.v1")]
        in_log = any(SECRET.encode() in (value or b"") for log in logs for value in log.values())
        return not in_log and SECRET not in await documents(stack)

    await eventually(gone, what="log and index have forgotten the text", stack=stack)
    again = StreamReader(url=stack.url, person="person:1", last_id=since)
    task = asyncio.create_task(again.run())
    await eventually(lambda: seen(again, "the last word"), what="the resumed reader has caught up", stack=stack)
    assert not seen(again, SECRET)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_busy_wiki_page(stack: Stack, mediawiki: MediaWiki) -> None:
    configure(stack, {"name": "wiki", "kind": "mediawiki", "url": mediawiki.url, "poll_seconds": 0.3})
    stack.start("ingest", "enrich", "index", "gateway")
    await stack.ready()
    reader, task = await watching(stack)
    since = reader.last_id

    leak = mediawiki.edit("Busy page", f"version one, {SECRET}")
    page_id = f"wiki:page/{leak['pageid']}"
    await asyncio.to_thread(_work_on, mediawiki, leak["newrevid"])
    await eventually(lambda: seen(reader, "the last word"), what="the last page arrives", stack=stack)

    async def right() -> bool:
        body = await page_of(stack, page_id)
        return "version four" in body and "Busy page moved" in body and SECRET not in body

    await eventually(right, what="the object's page is right", stack=stack)

    async def found() -> bool:
        # An object is read as it was written; search finds it from the next refresh on.
        return "Busy page moved" in json.dumps(
            json.loads(await get(stack, "/v1/search", q="version four"))["orderedItems"]
        )

    await eventually(found, what="search finds the page under its new name", stack=stack)
    await nowhere(stack, since)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _work_on(wiki: MediaWiki, leaking: int) -> None:
    time.sleep(1.05 - time.time() % 1)  # so that what follows falls into as few seconds as it can
    wiki.edit("Busy page", "version two")
    wiki.edit("Busy page", "version three")
    wiki.move("Busy page", "Busy page moved")
    wiki.revision_delete("Busy page moved", leaking)
    wiki.delete("Busy page moved")
    wiki.undelete("Busy page moved")
    wiki.edit("Busy page moved", "version four")
    doomed = f"never to be seen, {SECRET}"
    wiki.edit("Doomed page", doomed)
    wiki.delete("Doomed page")
    wiki.edit("Another page", "the last word")


async def test_a_message_edited_and_redacted(stack: Stack, synapse: Synapse) -> None:
    alice, bob, reading = (synapse.register(name) for name in ("alice", "bob", "reading"))
    room = alice.create_room("ops")
    bob.join(room)
    old = alice.send(room, "said before we looked")
    source: dict[str, Any] = {"name": "chat", "kind": "matrix", "url": synapse.url, "rooms": [room], "sync_seconds": 1}
    configure(stack, {**source, "access_token": reading.token})
    stack.start("ingest", "enrich", "index", "gateway")
    await stack.ready()
    reader, task = await watching(stack)
    since = reader.last_id

    async def backfilled() -> bool:
        return "said before we looked" in await page_of(stack, f"chat:event/{old}")

    await eventually(backfilled, what="the past is there", stack=stack)
    message = alice.send(room, f"the password is {SECRET}")
    alice.edit(room, message, f"the new password is {SECRET}2")
    kept = alice.send(room, "lunch at one")
    alice.edit(room, kept, "lunch at two")
    bob.react(room, kept)
    tea = alice.send(room, "tea at four")
    leak = alice.edit(room, tea, f"tea at four, {SECRET}3")
    await eventually(lambda: seen(reader, f"{SECRET}3"), what="the edits arrive", stack=stack)
    stack.end("ingest")  # of the emptied edit, the home server will not say what it replaced
    stack.start("ingest")
    alice.redact(room, leak)
    alice.redact(room, message)
    alice.send(room, "the last word")
    await eventually(lambda: seen(reader, "the last word"), what="the last message arrives", stack=stack)

    async def right() -> bool:
        gone, shown, undone = [await page_of(stack, f"chat:event/{one}") for one in (message, kept, tea)]
        return SECRET not in gone + undone and "lunch at two" in shown and "tea at four" in undone

    await eventually(right, what="both objects are shown as they are now", stack=stack)
    await nowhere(stack, since)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
