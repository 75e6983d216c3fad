"""Following: a plain feed of people, places, tags and saved searches; how far it was read; all of it in Kafka."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse

from services.gateway import follows
from services.gateway.reactions import Reactions
from services.gateway.remembered import Remembered
from tests.unit.gateway.world import HALL, ROOM, World, ids, said, world


async def put(w: World, path: str, body: Any = None, *, as_: str = "ann", status: int = 204) -> ClientResponse:
    answer = await w.client.put(f"{path}?as={as_}", json=body)
    assert answer.status == status, await answer.text()
    return answer


async def follow(w: World, *refs: str) -> None:
    for ref in refs:
        await put(w, "/v1/me/follows/" + quote(ref, safe=""))


async def numbers(w: World, **more: Any) -> list[int]:
    page = await w.json("/v1/me/following", **more)
    return [int(one.removeprefix("chat:").partition("#")[0]) for one in ids(page["orderedItems"])]


async def some(w: World) -> None:
    await w.opened(HALL)
    await w.opened(ROOM)
    await w.happens(said(1, who="bob"), said(2, where=ROOM, who="cat"), said(3, who="dan", text="the heron is back"))
    await w.happens(replace(said(4, who="eve"), tags=("release",)), said(5, who="eve"))


@pytest.mark.parametrize(
    ("refs", "found"),
    [((), []), (("bob",), [1]), ((ROOM,), [2]), (("release",), [4]), (("bob", ROOM, "release"), [4, 2, 1])],
)
async def test_the_feed_is_what_is_followed_newest_first(refs: tuple[str, ...], found: list[int]) -> None:
    async with world() as w:
        await some(w)
        await follow(w, *refs)
        assert await numbers(w) == found


async def test_a_saved_search_is_followed_by_its_name_and_follows_its_question() -> None:
    async with world() as w:
        await some(w)
        await put(w, "/v1/me/searches/birds", {"query": "q=heron"})
        await follow(w, "search:birds")
        assert await numbers(w) == [3]
        await put(w, "/v1/me/searches/birds", {"query": f"container={quote(ROOM)}"})
        assert await numbers(w) == [2]
        assert (await w.client.delete("/v1/me/searches/birds?as=ann")).status == 204
        assert await numbers(w) == []


async def test_what_is_followed_no_more_is_gone_from_the_feed_at_once() -> None:
    async with world() as w:
        await some(w)
        await follow(w, "bob", ROOM)
        assert (await w.client.delete("/v1/me/follows/bob?as=ann")).status == 204
        assert await numbers(w) == [2]
        assert ids((await w.json("/v1/me/follows"))["orderedItems"]) == [ROOM]


async def test_what_is_newer_than_the_read_mark_and_not_ones_own_is_unread() -> None:
    async with world() as w:
        await some(w)
        await w.happens(said(6, who="ann", where=ROOM))
        await follow(w, ROOM, "bob", "eve")
        await put(w, "/v1/me/following/read", {"until": "2026-03-01T12:03:00Z"})
        page = await w.json("/v1/me/following")
        assert [one["unread"] for one in page["orderedItems"]] == [False, True, True, False, False]
        assert (page["unread"], page["readUntil"]) == (2, "2026-03-01T12:03:00Z")
        await put(w, "/v1/me/following/read")
        assert (await w.json("/v1/me/following"))["unread"] == 0


async def test_following_opens_nothing() -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        await w.happens(said(1, where=ROOM, who="bob"))
        await follow(w, "bob", ROOM)
        page = await w.json("/v1/me/following")
        assert (page["orderedItems"], page["totalItems"], page["unread"]) == ([], 0, 0)
        assert (await w.json("/v1/me/follows"))["orderedItems"][1] == {"id": ROOM, "type": "Object", "name": ROOM}


async def test_what_is_followed_comes_live_and_changes_while_the_stream_is_open() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await put(w, "/v1/me/searches/birds", {"query": "q=heron"})
        await follow(w, "bob", "search:birds")
        async with w.listening(feed="following") as listener:
            await listener.begun()
            await w.happens(said(1, who="cat"), said(2, who="bob", where=ROOM), said(3, who="bob", text="a heron"))
            first = (await listener.until(1))[0]
            said_ = json.loads(first.data)
            assert (said_["activity"]["id"], said_["for"]) == ("chat:3#chat.message", ["person", "search:birds"])
            await follow(w, "cat")
            w.parts.streams.look()
            await w.happens(said(4, who="cat"))
            assert json.loads((await listener.until(2))[1].data)["activity"]["id"] == "chat:4#chat.message"


async def test_the_stream_of_what_is_followed_is_somebodys() -> None:
    async with world() as w:
        assert (await w.client.get("/v1/stream?feed=following")).status == 401
        assert (await w.client.get("/v1/stream?feed=following&colour=x&as=ann")).status == 400


async def test_what_is_followed_is_narrowed_by_filters_and_by_rules_that_mute_live() -> None:
    async with world() as w:
        await w.opened(HALL)
        await follow(w, "bob", HALL)
        await put(w, "/v1/me/rules/quiet", {"rule": "if says otter then mute", "on": True}, status=200)
        async with w.listening(feed="following", person="bob", q="heron") as listener:
            await listener.begun()
            await w.happens(said(1, who="cat", text="heron"), said(2, who="bob", text="heron"), said(3, who="bob"))
            await w.happens(said(4, who="bob", text="heron and otter"))
            await w.happens(said(6, who="bob", text="heron"))
            await listener.until(2)
            await put(w, "/v1/me/rules/quiet", {"rule": "if says otter then mute", "on": False}, status=200)
            w.parts.streams.look()
            await w.happens(said(5, who="bob", text="heron and otter"))
            events = [json.loads(one.data) for one in await listener.until(3)]
            assert [one["activity"]["id"][5] for one in events] == ["2", "6", "5"]
            assert events[0]["for"] == ["container", "person"]


async def test_the_inbox_comes_live_by_its_feeds_and_as_the_rules_are_now() -> None:
    async with world() as w:
        await w.opened(HALL)
        await put(w, "/v1/me/rules/birds", {"rule": "if says heron then notify", "on": True}, status=200)
        async with w.listening(feed="mentions") as mentions, w.listening(feed="notifications") as notifications:
            await mentions.begun()
            await notifications.begun()
            call = replace(said(1, who="bob"), mention_people=("ann",))
            await w.happens(call, said(2, who="bob", text="heron"), said(3, who="bob", text="otter"))
            assert json.loads((await mentions.until(1))[0].data)["id"] == "chat:1#chat.message"
            assert json.loads((await notifications.until(1))[0].data)["id"] == "chat:2#chat.message"
            await put(w, "/v1/me/rules/birds", {"rule": "if says otter then notify", "on": True}, status=200)
            w.parts.streams.look()
            await w.happens(said(4, who="bob", text="heron"), said(5, who="bob", text="otter"))
            assert json.loads((await notifications.until(2))[1].data)["id"] == "chat:5#chat.message"
            assert len(mentions.of()) == 1


async def test_a_set_may_hold_what_is_followed() -> None:
    async with world() as w:
        await w.opened(HALL)
        subscriptions = {"mine": "feed=following&type=Create", "birds": "q=heron"}
        await put(w, "/v1/me/streams/page", {"subscriptions": subscriptions})
        async with w.listening(set="page") as listener:
            await listener.until(1, "subscriptions")
            await follow(w, "bob")
            w.parts.streams.look()
            await w.happens(said(1, who="cat"), said(2, who="bob"), said(3, who="bob", text="heron"))
            events = [json.loads(one.data) for one in await listener.until(2)]
            found = sorted((one["activity"]["id"][5], one["for"]) for one in events)
            assert found == [("2", ["mine"]), ("3", ["birds", "mine"])]


async def test_a_restart_loses_nothing() -> None:
    async with world() as w:
        await follow(w, "bob", "release")
        await put(w, "/v1/me/searches/birds", {"query": "q=heron"})
        again, kept = Reactions(w.bus), Remembered(w.bus)
        await again.load()
        await kept.load()
        assert again.follows("ann") == ("bob", "release")
        assert follows.searches(kept, "ann") == {"birds": "q=heron"}
        await again.stop()
        await kept.stop()


async def test_follows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follows, "MOST", 2)
    async with world() as w:
        await follow(w, "bob", "cat", "bob")
        answer = await put(w, "/v1/me/follows/dan", status=409)
        assert "You follow 2 things already" in await answer.text()


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/v1/me/follows/search:absent", None, 404, "not-found"),
        ("/v1/me/follows/" + "x" * 1_001, None, 400, "bad-parameter"),
        ("/v1/me/follows/a%00b", None, 400, "bad-parameter"),
        ("/v1/me/searches/mine", {}, 400, "bad-body"),
        ("/v1/me/searches/mine", {"query": "colour=red"}, 400, "bad-parameter"),
        ("/v1/me/searches/mine", {"query": "as=ann"}, 400, "bad-body"),
        ("/v1/me/searches/mine", {"query": 7}, 400, "bad-body"),
        ("/v1/me/searches/" + "x" * 65, {"query": "q=x"}, 400, "bad-parameter"),
        ("/v1/me/following/read", {"until": "yesterday"}, 400, "bad-body"),
        ("/v1/me/following/read", {"from": "now"}, 400, "bad-body"),
    ],
)
async def test_bad_input(path: str, body: Any, status: int, kind: str) -> None:
    async with world() as w:
        answer = await put(w, path, body, status=status)
        assert (await answer.json(content_type=None))["type"] == f"/docs#{kind}"
        assert (await put(w, path, body, as_="", status=401)).content_type == "application/problem+json"
