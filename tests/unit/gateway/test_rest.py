"""REST over twins: pages both ways, one thing with its history, search, people, For you, feedback."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from services.common import topics
from services.common.codec import Codec
from services.common.model import Access, AccessKind, ActivityType, Object
from services.gateway.stream.position import unpacked
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, ROOM, World, ids, said, world


def names(*numbers: int) -> list[str]:
    return [f"chat:{n}#chat.message" for n in numbers]


async def test_pages_go_both_ways_and_lose_nothing() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(25)))
        page = await w.json("/v1/activities", params={"limit": "10"})
        assert page["type"] == "OrderedCollectionPage"
        assert page["totalItems"] == 25
        seen = [ids(page["orderedItems"])]
        while "next" in page:
            answer = await w.client.get(URL(page["next"]).relative())
            page = await answer.json(content_type=None)
            assert f'<{page["prev"]}>; rel="prev"' in answer.headers["Link"]
            seen.append(ids(page["orderedItems"]))
        assert [one for part in seen for one in part] == names(*reversed(range(25)))
        back = await (await w.client.get(URL(page["prev"]).relative())).json(content_type=None)
        assert ids(back["orderedItems"]) == seen[-2]


async def test_a_page_says_from_where_to_go_on_live_without_a_gap() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(5)))
        await w.happens(said(5), said(6), index=False)  # in the log, not in the index yet
        page = await _settled(w, 7)
        listed = ids(page["orderedItems"])
        async with w.client.get(URL(page["stream"]).relative()) as answer:
            seen = set(listed)
            while not seen >= set(names(*range(7))):  # _data gives up where nothing more comes
                seen.add(json.loads((await _data(answer))[6:])["id"])


async def _settled(w: World, count: int) -> Any:
    await eventually(lambda: w.parts.hub.ring.end >= count, what="the ring holds all", within=5, pause=0.01)
    return await w.json("/v1/activities")


async def _data(answer: Any) -> bytes:
    while not (line := await asyncio.wait_for(answer.content.readline(), 5)).startswith(b"data: "):
        assert line
    return line  # type: ignore[no-any-return]


async def test_where_the_index_has_all_the_stream_begins_at_the_head() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(5)))
        page = await _settled(w, 5)
        position = page["stream"].rpartition("last_event_id=")[2].partition("&")[0]
        assert unpacked(position) == w.parts.hub.position()


async def test_filters() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        await w.happens(said(1, who="bob"), said(2, where=ROOM), said(3, verb="chat.edit"))
        for params, found in (
            ({"person": "bob"}, [1]),
            ({"actor": "chat:bob"}, [1]),
            ({"container": ROOM}, [2]),
            ({"verb": "chat.edit"}, [3]),
            ({"source": "git"}, []),
            ({"since": "2026-03-01T12:02:00Z"}, [3, 2]),
            ({"until": "2026-03-01T12:02:00+00:00"}, [1]),
            ({"q": "message 2"}, [2]),
        ):
            page = await w.json("/v1/activities", params=params)
            assert ids(page["orderedItems"]) == names(*found), params


async def test_what_one_may_not_open_is_absent_in_the_same_words() -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        await w.happens(said(1, where=ROOM, text="secret plan"))
        for path in ("/v1/activities/chat:1%23chat.message", "/v1/objects/chat:1", "/v1/people/ann"):
            assert (await w.get(path, as_="bob")).status == 200
            hidden, absent = await w.get(path), await w.get(path.replace("chat:1", "chat:7").replace("ann", "nobody"))
            assert (
                (hidden.status, await hidden.text())
                == (absent.status, await absent.text())
                == (404, await absent.text())
            )
        for path in ("/v1/activities?q=plan", "/v1/search?q=plan", "/v1/people?q=plan"):
            assert "chat:1" in await (await w.get(path, as_="bob")).text()
            page = await w.json(path)
            assert page["totalItems"] == 0
            assert "chat:1" not in json.dumps(page)


async def test_a_revocation_holds_before_the_index_has_heard_of_it() -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        await w.happens(said(1, where=ROOM))
        record = Access(id=ROOM, kind=AccessKind.CONTAINER)
        w.parts.access.apply(record)  # the view knows; the grants in the index do not
        assert (await w.json("/v1/activities", as_="bob"))["orderedItems"] == []
        assert (await w.get("/v1/objects/chat:1", as_="bob")).status == 404


async def test_withdrawn_text_is_nowhere_before_the_index_has_heard_of_it() -> None:
    async with world() as w:
        await w.opened(HALL)
        e = said(1, text="quokkasecret")
        await w.happens(e)
        w.parts.access.apply(Access(id="chat:1", kind=AccessKind.OBJECT, withdrawn=("*",), order=e.activity.order))
        for path in (
            "/v1/activities",
            "/v1/activities/chat:1%23chat.message",
            "/v1/objects/chat:1",
            "/v1/search?q=quokkasecret",
        ):
            answer = await w.get(path)
            assert "quokkasecret" not in (await answer.text()).replace("q=quokkasecret", ""), path


async def test_an_object_has_its_history_and_its_conversation() -> None:
    async with world() as w:
        await w.opened(HALL)
        note = Object(id="chat:1", type="Note", content="second state", version="2")
        edit = said(5, id="chat:1@2#chat.edit", type=ActivityType.UPDATE, object=note)
        await w.happens(said(1, text="first state"), edit)
        found = await w.json("/v1/objects/" + quote("chat:1", safe=""))
        assert found["content"] == "second state"
        assert ids(found["history"]["orderedItems"]) == ["chat:1@2#chat.edit", "chat:1#chat.message"]


async def test_search_finds_with_facets_and_safe_highlights() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, text="the <b>borrow</b> checker"), said(2, text="lunch"))
        page = await w.json("/v1/search", params={"q": "borrow", "mode": "lexical"})
        (hit,) = page["orderedItems"]
        assert hit["highlights"]["text"] == ["the &lt;b&gt;<mark>borrow</mark>&lt;/b&gt; checker"]
        assert page["facets"]["container"] == {HALL: 1}
        assert page["facets"]["person"] == {"ann": 1}


async def test_people_are_found_by_what_they_did() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(
            said(1, text="parser bug", who="bob"), said(2, text="parser", who="bob"), said(3, text="parser")
        )
        found = await w.json("/v1/people", params={"q": "parser"})
        assert [one["id"] for one in found["orderedItems"]] == ["bob", "ann"]
        assert found["orderedItems"][0]["evidence"][0]["object"] in ("chat:1", "chat:2")
        assert found["orderedItems"][0]["name"] == "Bob"


async def test_feedback_is_stored_before_it_is_answered() -> None:
    async with world() as w:
        sent = [{"subject": "chat:1", "kind": "useful"}, {"subject": "chat:2", "kind": "seen", "surface": "for-you"}]
        answer = await w.client.post("/v1/feedback?as=ann", json=sent)
        assert answer.status == 204
        topic = topics.FEEDBACK.name(w.bus.prefix)
        reader = await w.bus.reader()
        await reader.start_at({p: first for p, (first, _) in (await reader.bounds(topic)).items()})
        records = await reader.poll(limit=10, wait=1)
        assert [Codec("feedback").decode(r.value or b"")["kind"] for r in records] == ["useful", "seen"]
        assert {r.key for r in records} == {"ann|chat:1|useful", "ann|chat:2|seen"}


async def test_unchanged_pages_are_not_sent_again() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        first = await w.get("/v1/activities/chat:1%23chat.message")
        again = await w.get("/v1/activities/chat:1%23chat.message", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, await again.read()) == (304, b"")
        assert first.headers["Vary"] == "Accept, Authorization, Cookie, Origin, X-Watercooler-As"
        assert first.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/activity+json"),
        ("application/json", "application/json"),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', "application/ld+json"),
    ],
)
async def test_media_types(accept: str, given: str) -> None:
    async with world() as w:
        assert (await w.get("/v1/me", headers={"Accept": accept})).content_type == given
