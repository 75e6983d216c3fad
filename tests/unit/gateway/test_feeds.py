"""Atom and JSON Feed of what the asker may open, as readers of feeds take them."""

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from yarl import URL

from services.common.model import Object
from tests.unit.gateway.test_following import follow
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, ROOM, said, world

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(text: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(text).findall(f"{ATOM}entry")


def read(element: ElementTree.Element, *path: str) -> Any:
    return element.findtext("/".join(ATOM + one for one in path))


async def test_atom_says_who_wrote_what_and_where_it_is() -> None:
    async with world() as w:
        await w.opened(HALL)
        thing = Object(id="chat:1", type="Note", title="a <b> & c", content="x\x08y", version="1")
        await w.happens(said(1, object=thing, tags=("one", "two")))
        answer = await w.get("/v1/feed.atom")
        assert answer.content_type == "application/atom+xml"
        (entry,) = entries(await answer.text())
        assert (read(entry, "title"), read(entry, "summary"), read(entry, "author", "name")) == (
            "a <b> & c",
            "xy",
            "Ann",
        )
        assert read(entry, "updated") == "2026-03-01T12:01:00+00:00"
        assert str(read(entry, "id")).startswith("urn:uuid:")
        assert [c.get("term") for c in entry.findall(f"{ATOM}category")] == ["one", "two"]
        (link,) = entry.findall(f"{ATOM}link")
        assert str(link.get("href")).endswith("/objects/chat%3A1")
        assert (await w.client.get(URL(str(link.get("href"))).relative())).status == 200


async def test_json_feed_has_the_same_and_pages() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(5)))
        first = await w.json("/v1/feed.json", params={"limit": "3"})
        assert first["version"] == "https://jsonfeed.org/version/1.1"
        assert [one["content_text"] for one in first["items"]] == ["message 4", "message 3", "message 2"]
        rest = await (await w.client.get(URL(first["next_url"]).relative())).json(content_type=None)
        assert [one["content_text"] for one in rest["items"]] == ["message 1", "message 0"]
        assert "next_url" not in rest
        atom = await (await w.get("/v1/feed.atom")).text()
        every = await w.json("/v1/feed.json")
        assert [read(entry, "id") for entry in entries(atom)] == [one["id"] for one in every["items"]]


async def test_a_feed_is_of_any_question_and_of_nothing_one_may_not_open() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await w.happens(said(1, text="release"), said(2), said(3, text="release", where=ROOM))
        for as_, count in (("ann", 1), ("bob", 2)):
            feed = await w.json("/v1/feed.json", as_=as_, params={"q": "release"})
            assert (feed["title"], len(feed["items"])) == ("release · Watercooler", count)
            assert len(entries(await (await w.get("/v1/feed.atom?q=release", as_=as_)).text())) == count


async def test_for_you_is_a_feed_with_its_reasons() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await recommend(w, "chat:1", 1.0)
        (item,) = (await w.json("/v1/feed.json", params={"feed": "for-you"}))["items"]
        assert item["content_text"] == "because of chat:1\n\nmessage 1"
        assert (await w.get("/v1/feed.json?feed=for-you", as_="")).status == 401
        assert (await w.get("/v1/feed.json?feed=for-you&tag=x")).status == 400  # it would be answered with all of it


async def test_feeds_of_ones_own_are_feeds_of_that_alone() -> None:
    async with world() as w:
        await w.opened(HALL)
        await follow(w, "bob")
        await w.happens(said(1, who="bob"), replace(said(2, who="cat"), mention_people=("ann",)), said(3, who="cat"))
        for name, texts in (("following", ["message 1"]), ("mentions", ["message 2"]), ("notifications", [])):
            feed = await w.json("/v1/feed.json", params={"feed": name})
            assert [one["content_text"] for one in feed["items"]] == texts
            assert (feed["title"], feed["home_page_url"]) == (f"{name.capitalize()} · Watercooler", w.url + name)
            assert (await w.get("/v1/feed.atom", as_="", params={"feed": name})).status == 401
        assert (await w.json("/v1/feed.json?feed=following&person=cat"))["items"] == []


@pytest.mark.parametrize("form", ["atom", "json"])
async def test_an_unchanged_feed_is_not_sent_again(form: str) -> None:
    async with world() as w:
        await w.opened(HALL)
        for path in (f"/v1/feed.{form}?q=nothing", f"/v1/feed.{form}"):
            first = await w.get(path)
            again = await w.get(path, headers={"If-None-Match": first.headers["ETag"]})
            assert (first.status, again.status) == (200, 304)


async def test_pages_name_their_feeds() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        link = (await w.get("/v1/activities?tag=x&limit=5")).headers["Link"]
        for form, kind in (("atom", "application/atom+xml"), ("json", "application/feed+json")):
            assert f'/v1/feed.{form}?tag=x>; rel="alternate"; type="{kind}"' in link


async def test_the_page_names_its_feed() -> None:
    async with world() as w:
        await w.opened(HALL)
        page = await (await w.get("/", params={"tag": "x y"})).text()
        assert (
            '<link rel="alternate" type="application/atom+xml" title="This feed" href="/v1/feed.atom?tag=x+y">' in page
        )
