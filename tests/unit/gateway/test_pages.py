"""Pages as ActivityStreams has them, and going on live from any of them: nothing lost, nothing twice."""

import random
from collections import Counter
from typing import Any

import pytest
from aiohttp import ClientResponse
from multidict import MultiDict
from yarl import URL

from services.gateway.stream.position import start_of
from tests.fixtures.stack import eventually
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.test_stream import datas
from tests.unit.gateway.world import HALL, World, ids, said, world


async def opened(w: World, address: str) -> Any:
    answer = await w.client.get(URL(address).relative())
    assert answer.status == 200, await answer.text()
    return await answer.json(content_type=None)


def rels(answer: ClientResponse) -> dict[str, str]:
    found: MultiDict[Any] = MultiDict((rel or "", link["url"]) for rel, link in answer.links.items())
    return {rel: str(url) for rel, url in found.items()}


async def listed(w: World, count: int, **params: str) -> Any:
    await eventually(lambda: w.parts.hub.sent >= count, what="the head has come", within=5, pause=0.01)
    return await w.json("/v1/activities", params=params)


async def test_a_collection_has_no_items_and_says_where_its_pages_are() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(25)))
        page = await w.json("/v1/activities", params={"limit": "10"})
        whole = await opened(w, page["partOf"])
        assert (whole["type"], whole["totalItems"], whole["id"]) == ("OrderedCollection", 25, page["partOf"])
        assert "orderedItems" not in whole
        assert (await opened(w, whole["first"]))["orderedItems"] == page["orderedItems"]
        last = await opened(w, whole["last"])
        assert ids(last["orderedItems"]) == [f"chat:{n}#chat.message" for n in reversed(range(10))]


@pytest.mark.parametrize("path", ["/v1/activities", "/v1/people/ann", "/v1/search?q=message&mode=lexical"])
async def test_pages_are_walked_back_from_the_last_one(path: str) -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(25)))
        page = await w.json(path, params={"limit": "10"})
        forth = [ids(page["orderedItems"])]
        while "next" in page:
            page = await opened(w, page["next"])
            forth.append(ids(page["orderedItems"]))
        page = await opened(w, page["last"])
        assert "next" not in page
        back = ids(page["orderedItems"])
        while "prev" in page:
            page = await opened(w, page["prev"])
            back = ids(page["orderedItems"]) + back
        assert back == [one for part in forth for one in part]


async def test_the_link_header_says_what_the_body_says() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(25)))
        first = await w.json("/v1/activities", params={"limit": "10"})
        answer = await w.client.get(URL(first["next"]).relative())
        page = await answer.json(content_type=None)
        found = rels(answer)
        assert {rel: found[rel] for rel in ("first", "last", "next", "prev")} == {
            rel: page[rel] for rel in ("first", "last", "next", "prev")
        }
        assert found["collection"] == page["partOf"]
        (stream,) = [link for link in answer.links.getall("alternate") if link.get("type") == "text/event-stream"]
        assert str(stream["url"]) == page["stream"]
        assert f"last_event_id={stream['last-event-id']}" in page["stream"]


async def test_a_page_and_its_stream_together_lose_and_double_nothing_while_the_index_lags() -> None:
    draw = random.Random(7)
    async with world() as w:
        await w.opened(HALL)
        for first in range(0, 200, 20):
            batch = [said(n) for n in range(first, first + 20)]
            await w.happens(*batch, index=False)
            late = draw.sample(batch, 7)  # the index has some of the newest, and not the ones before them
            await w.index(*(one for one in batch if one not in late))
            page = await listed(w, first + 20, limit="100")
            seen = ids(page["orderedItems"])
            rest = page
            while "next" in rest:
                rest = await opened(w, rest["next"])
                seen += ids(rest["orderedItems"])
            assert len(seen) < first + 20
            async with w.listening(address=str(URL(rest["stream"]).relative()), as_="") as stream:
                await stream.until(first + 20 - len(seen))
                await w.parts.hub.know_access()
                seen += ids(datas(stream.of()))
            assert Counter(seen) == Counter(f"chat:{n}#chat.message" for n in range(first + 20))
            await w.index(*late)


async def test_every_page_passes_the_first_ones_place_on() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(30)))
        page = await listed(w, 30, limit="10")
        await w.happens(said(31))
        await eventually(lambda: w.parts.hub.sent == 31, what="it came", within=5, pause=0.01)
        later = await opened(w, page["next"])
        async with w.listening(address=str(URL(later["stream"]).relative()), as_="") as stream:
            assert ids(datas(await stream.until(1))) == ["chat:31#chat.message"]


async def test_for_you_goes_on_live_too() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await recommend(w, "chat:1", 1.0)
        await eventually(lambda: w.parts.for_you_hub.sent == 1, what="it came", within=5, pause=0.01)
        page = await w.json("/v1/me/for-you")
        await recommend(w, "chat:2", 1.0)
        async with w.listening(address=str(URL(page["stream"]).relative()), as_="") as stream:
            assert [one["object"] for one in datas(await stream.until(1))] == ["chat:2"]


async def test_what_takes_content_back_is_never_passed_over() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        await w.happens(said(2), index=False)  # keeps the place before what follows
        await w.happens(said(1), mark="redacted", index=False)
        page = await listed(w, 3)
        assert ids(page["orderedItems"]) == ["chat:1#chat.message"]
        async with w.listening(address=str(URL(page["stream"]).relative()), as_="") as stream:
            await stream.until(1)
            assert ids(datas(await stream.until(1, "redacted"))) == ["chat:1#chat.message"]


async def test_an_unchanged_page_is_not_sent_again_while_the_stream_moves_on() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1), said(2, who="bob"))
        first = await w.get("/v1/activities", params={"person": "ann"})
        tag = {"If-None-Match": first.headers["ETag"]}
        await w.happens(said(3, who="bob"))
        assert (await w.get("/v1/activities", params={"person": "ann"}, headers=tag)).status == 304
        await w.happens(said(4))
        assert (await w.get("/v1/activities", params={"person": "ann"}, headers=tag)).status == 200


@pytest.mark.parametrize("wrong", ["live=x", "live=AAAA", "view=all", "view=page"])
async def test_wrong_places_and_views_are_named(wrong: str) -> None:
    async with world() as w:
        answer = await w.client.get(f"/v1/activities?{wrong}")
        assert (answer.status, (await answer.json(content_type=None))["parameter"]) == (400, wrong.partition("=")[0])


async def test_the_place_of_another_log_is_told_as_lost() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        page = await listed(w, 1)
        place, _ = start_of(page["stream"].rpartition("last_event_id=")[2].partition("&")[0])
        async with world() as new:
            page = await new.json("/v1/activities", params={"live": place.text()})
            new.parts.hub.mark = b"abcd"
            async with new.listening(address=str(URL(page["stream"]).relative()), as_="") as stream:
                await stream.until(1, "reset")
