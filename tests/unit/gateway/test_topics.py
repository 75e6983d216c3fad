"""Topics over twins: the API and the pages say the same, and each leads on to another."""

import re
from dataclasses import replace
from typing import Any

from services.common import topics
from services.common.model import EPOCH, Enriched, Link
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, ROOM, World, said, world


def tagged(number: int, *tags: str, **more: Any) -> Enriched:
    """Return a message with tags."""
    return replace(said(number, **more), tags=tags)


async def units(w: World, **of: str) -> None:
    """Say who is in which unit."""
    for person, unit in of.items():
        record = {"id": person, "name": "", "units": [unit], "accounts": [], "optOut": False, "settings": {}}
        await w.publish(topics.PERSON, person, record | {"recorded": EPOCH})
    known = w.parts.directory.unit_of
    await eventually(lambda: all(known(p) == u for p, u in of.items()), what="units are known", within=20, pause=0.01)


async def test_a_topic_connects_places_by_people_in_numbers_and_by_things() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        here = [tagged(n, "heron", who=who) for n, who in enumerate(("ann", "bob", "cat"))]
        there = [tagged(n, where=ROOM, who=who, text="a heron") for n, who in enumerate(("ann", "bob", "cat"), 10)]
        linked = replace(tagged(20, "heron", where=ROOM, who="dan"), links=(Link(href="x", object="chat:1"),))
        await w.happens(*here, *there, linked)
        found = await w.json("/v1/topics/heron")
        assert [(p["name"], p["things"], p["people"]) for p in found["places"]] == [("room", 4, 4), ("hall", 3, 3)]
        assert found["connections"] == [{"between": [{"place": HALL}, {"place": ROOM}], "people": 3}]
        assert [one["activities"] for one in found["growth"]] == [7]


async def test_a_topic_can_be_looked_at_as_it_was() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        await w.happens(tagged(1, "heron"), tagged(5, "heron", where=ROOM))
        assert len((await w.json("/v1/topics/heron"))["places"]) == 2
        was = await w.json("/v1/topics/heron?until=2026-03-01T12:03:00Z")
        assert [place["id"] for place in was["places"]] == [HALL]
        page = await (await w.get("/topics/heron?until=2026-03-01T12:03:00Z")).text()
        assert "as it was before 1 March 2026" in page


async def test_the_page_leads_on_to_places_units_and_other_topics_and_back() -> None:
    async with world() as w:
        await w.opened(HALL)
        await units(w, ann="lab", bob="lab", cat="lab")
        await w.happens(*(tagged(n, "heron", "pond", who=who) for n, who in enumerate(("ann", "bob", "cat"))))
        page = await (await w.get("/topics/heron")).text()
        for href in ("/topics?container=chat%3Ahall", "/topics?unit=lab", "/topics/pond", "/search?q=heron"):
            assert f'href="{href}"' in page
        for path in ("/topics?container=chat%3Ahall", "/topics?unit=lab", "/topics"):
            assert 'href="/topics/heron"' in await (await w.get(path)).text(), path


async def test_a_search_and_a_place_lead_to_topics() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(tagged(1, text="a/b heron"))
        assert 'href="/topics/a/b"' in await (await w.get("/search?q=a/b")).text()
        assert (await w.get("/topics/a/b")).status == 200
        assert 'href="/topics?container=chat%3Ahall"' in await (await w.get("/?container=chat%3Ahall")).text()
        assert 'href="/topics/heron"' in await (await w.get("/?tag=heron")).text()


async def test_what_only_two_of_a_unit_did_is_no_topic_of_it() -> None:
    async with world() as w:
        await w.opened(HALL)
        await units(w, ann="lab", bob="lab", cat="lab")
        await w.happens(*(tagged(n, "heron", who=who) for n, who in enumerate(("ann", "bob", "dan"))))
        assert (await w.json("/v1/topics?unit=lab"))["orderedItems"] == []
        await w.happens(tagged(9, "heron", who="cat"))
        assert (await w.json("/v1/topics?unit=lab"))["orderedItems"] == [
            {"type": "Topic", "name": "heron", "activities": 3}
        ]


async def test_the_picture_and_the_tables_say_the_same() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        await w.happens(tagged(1, "heron"), tagged(2, "heron", where=ROOM))
        page = await (await w.get("/topics/heron")).text()
        drawn = set(re.findall(r'aria-label="(\w+): 1 thing, a few people"', page))
        listed = set(re.findall(r'<th scope="row"><a class="link" href="[^"]*">(\w+)</a>', page))
        assert drawn == listed == {"hall", "room"}


async def test_words_that_nothing_has_and_wrong_ones_are_told_apart_from_mistakes() -> None:
    async with world() as w:
        await w.opened(HALL)
        assert (await w.json("/v1/topics/absent"))["places"] == []
        assert "Nothing that you may open" in await (await w.get("/topics/absent")).text()
        for path in (f"/v1/topics/{'x' * 501}", "/v1/topics/%20", "/v1/topics/x?until=later", "/v1/topics?tag=x"):
            assert (await w.get(path)).status == 400, path
        answer = await w.get("/topics?q=a/b", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/topics/a%2Fb")


async def test_who_has_opted_out_counts_for_no_unit() -> None:
    async with world() as w:
        await units(w, ann="lab", bob="lab")
        record = {"id": "bob", "name": "", "units": ["lab"], "accounts": [], "optOut": True, "settings": {}}
        await w.publish(topics.PERSON, "bob", record | {"recorded": EPOCH})
        await eventually(lambda: w.parts.directory.members("lab") == {"ann"}, what="bob is out", within=20, pause=0.01)
