"""How much is unread, told over the stream that is open anyway: the counts of the pages, and no others."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.gateway.stream import counts
from tests.unit.gateway.test_following import follow
from tests.unit.gateway.test_rules import put
from tests.unit.gateway.world import HALL, ROOM, Listener, said, world


def mention(number: int, *, of: str = "ann", who: str = "bob", where: str = HALL) -> Any:
    return replace(said(number, who=who, where=where), mention_people=(of,))


async def told(stream: Listener, count: int) -> dict[str, int]:
    """Return the ``count``-th answer, without when it was counted."""
    found: dict[str, int] = json.loads((await stream.until(count, "unread"))[count - 1].data)
    assert found.pop("at")
    return found


async def test_the_counts_come_at_once_and_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_LOOK", 0.01)
    async with world() as w:
        await w.opened(HALL)
        await put(w, "birds", "if says heron then notify")
        await w.happens(mention(1))
        async with w.listening(counts="unread") as stream:
            assert await told(stream, 1) == {"inbox": 1, "mentions": 1, "notifications": 0}
            await w.happens(said(2, text="a heron", who="bob"), said(3, who="bob"))
            assert await told(stream, 2) == {"inbox": 2, "mentions": 1, "notifications": 1}
            assert (await w.client.put("/v1/me/mentions/read?as=ann")).status == 204
            assert await told(stream, 3) == {"inbox": 1, "mentions": 0, "notifications": 1}
            await put(w, "birds", "if says heron then notify", on=False)
            assert await told(stream, 4) == {"inbox": 0, "mentions": 0, "notifications": 0}


async def test_what_is_followed_is_counted_on_its_own_stream_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_LOOK", 0.01)
    async with world() as w:
        await w.opened(HALL)
        await follow(w, HALL)
        bob = w.listening(as_="bob", counts="unread")
        async with w.listening(counts="unread", feed="following") as stream, bob as other:
            assert (await told(stream, 1))["following"] == 0
            assert "following" not in await told(other, 1)
            await w.happens(said(1, who="bob"), said(2, who="ann"))  # one's own is not news
            assert (await told(stream, 2))["following"] == 1


async def test_one_who_did_not_ask_is_not_told_and_nobody_is_told_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_LOOK", 0.01)
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        async with (
            w.listening() as plain,
            w.listening(counts="unread") as ann,
            w.listening(as_="bob", counts="unread") as bob,
        ):
            await told(ann, 1)
            await told(bob, 1)
            await w.happens(mention(1, where=ROOM), mention(2, of="bob", who="ann"))  # ann may not open the first
            assert (await told(bob, 2))["mentions"] == 1
            await w.happens(mention(3))
            assert (await told(ann, 2))["mentions"] == 1
            assert plain.of("unread") == []


async def test_what_the_index_finds_later_is_counted_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_LOOK", 0.01)
    async with world() as w:
        await w.opened(HALL)
        async with w.listening(counts="unread") as stream:
            assert (await told(stream, 1))["mentions"] == 0
            late = mention(1)
            await w.happens(late, index=False)
            await stream.until(1)
            await w.parts.counts.look()
            assert len(stream.of("unread")) == 1
            async with w.listening(counts="unread") as newer:  # it happened before this reader came
                await w.parts.counts.look()
                await w.index(late)
                assert (await told(newer, 1))["mentions"] == (await told(stream, 2))["mentions"] == 1


async def test_lines_tell_counts_without_a_cursor() -> None:
    async with world() as w:
        w.parts.counts._next = w.parts.hub.sent
        answer = await w.get("/v1/stream?counts=unread", headers={"Accept": "application/x-ndjson"})
        assert "cursor" in json.loads(await answer.content.readline())
        await w.parts.counts.look()
        line = json.loads(await answer.content.readline())
        assert line["event"] == "unread"
        assert line["unread"]["inbox"] == 0
        assert "cursor" not in line
        answer.close()


async def test_counts_are_somebodys_and_of_what_is_unread() -> None:
    async with world() as w:
        assert (await w.get("/v1/stream?counts=unread", as_="")).status == 401
        assert (await w.get("/v1/stream?counts=all")).status == 400
