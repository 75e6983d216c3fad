"""What the source deletes is nowhere: not in the index, the log, a stream resumed from before, nor after a reindex."""

import asyncio
import json
from typing import Any

import pytest

from tests.e2e.client import documents, get, import_lines, log_of, page_of
from tests.e2e.load import activity
from tests.fixtures.sse import StreamReader
from tests.fixtures.stack import Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.may_block("drives processes and waits for them")]

SECRET = "quokkasecret"
NOTE = "talk:note:1"


def note(verb: str, at: int, content: str, **more: Any) -> dict[str, Any]:
    """Return an activity about the one note, ``at`` seconds after noon."""
    one = activity(1, source="talk") | {
        "id": f"talk:{verb}:{at}",
        "verb": f"chat.{verb}",
        "type": {"message": "Create", "edit": "Update", "delete": "Delete"}[verb],
        "published": f"2026-02-01T12:00:{at:02d}Z",
        "object": {"id": NOTE, "type": "Note", "content": content},
    }
    return one | more


def deletion(at: int) -> dict[str, Any]:
    """Return the deletion of the note."""
    return note("delete", at, "", object={"id": NOTE, "type": "Tombstone"}, withdraws=["*"])


async def searched(stack: Stack) -> str:
    """Return what search answers, without the question that it repeats in its links."""
    return (await get(stack, "/v1/search", q=SECRET)).replace(f"q={SECRET}", "")


async def test_deleted_text_is_nowhere(stack: Stack) -> None:
    stack.start("enrich", "index", "gateway")
    await stack.ready()
    reader = StreamReader(url=stack.url, person="person:1")
    reading = asyncio.create_task(reader.run())
    await eventually(lambda: reader.last_id, what="the reader has an id to come back with", stack=stack)
    before = reader.last_id

    import_lines(stack, [note("message", 1, f"we say {SECRET} here"), activity(7, source="talk")], name="talk")
    await eventually(
        lambda: any(SECRET in json.dumps(a) for a in reader.activities), what="the text arrives", stack=stack
    )

    async def found() -> bool:
        return SECRET in await searched(stack)

    await eventually(found, what="search finds the text", stack=stack)
    assert SECRET in await page_of(stack, NOTE)

    import_lines(stack, [deletion(2)], name="talk2")

    async def gone() -> bool:
        return SECRET not in await documents(stack) and SECRET not in await page_of(stack, NOTE)

    await eventually(gone, what="the index has forgotten the text", stack=stack)
    assert SECRET not in await searched(stack)

    again = StreamReader(url=stack.url, person="person:1", last_id=before)
    rereading = asyncio.create_task(again.run())
    await eventually(lambda: "talk:delete:2" in again.ids, what="the resumed reader sees the deletion", stack=stack)
    assert SECRET not in json.dumps(again.activities)

    async def log_is_clean() -> bool:
        logs = [await log_of(stack, topic) for topic in ("activity.v1", "enriched.v1", "public.v1")]
        return not any(SECRET.encode() in (value or b"") for log in logs for value in log.values())

    await eventually(log_is_clean, what="the newest record of every key is without the text", stack=stack)

    # The same export imported once more must not bring the text back.
    import_lines(stack, [note("message", 1, f"we say {SECRET} here")], name="talk3")
    import_lines(stack, [activity(8, source="talk")], name="talk4")
    await eventually(lambda: "talk:chat:8" in again.ids, what="what came after the repetition arrives", stack=stack)
    await asyncio.sleep(2)
    assert SECRET not in json.dumps(again.activities)
    assert SECRET not in await documents(stack)

    stack.run("reindex", timeout=300)
    assert SECRET not in await documents(stack)
    assert SECRET not in await page_of(stack, NOTE)
    for task in (reading, rereading):
        task.cancel()
    await asyncio.gather(reading, rereading, return_exceptions=True)


async def test_a_late_backfill_does_not_overwrite_a_newer_edit(stack: Stack) -> None:
    stack.start("enrich", "index", "gateway")
    await stack.ready()
    import_lines(stack, [note("edit", 30, "the newest wording")], name="live")
    import_lines(stack, [note("message", 1, "the first wording"), activity(9, source="talk")], name="backfill")

    async def both() -> bool:
        text = await documents(stack)
        return "the first wording" in text and "talk:chat:9" in text

    await eventually(both, what="both activities are indexed", stack=stack)
    body = json.loads(await page_of(stack, NOTE))
    assert json.dumps(body).index("the newest wording") < json.dumps(body).index("the first wording")
    found = json.loads(await get(stack, "/v1/search", q="wording"))
    assert "the newest wording" in json.dumps(found["orderedItems"])


async def test_a_container_without_an_access_record_is_nobodys(stack: Stack) -> None:
    stack.start("enrich", "index", "gateway")
    await stack.ready()
    hidden = note("message", 1, f"nobody reads {SECRET}", audience={"visibility": "UNKNOWN"})
    import_lines(stack, [hidden], name="hidden")

    async def indexed() -> bool:
        return SECRET in await documents(stack)

    await eventually(indexed, what="the index holds it", stack=stack)
    for path in ("/v1/activities", "/v1/search", "/v1/people"):
        answer = await get(stack, path, q=SECRET)
        assert SECRET not in answer.replace(f"q={SECRET}", "")
        assert NOTE not in answer
