"""People to meet and trends over twins: only what may be opened, silent declining, the log of exposure, the page."""

from typing import Any

from services.common import topics
from services.common.codec import Codec
from services.common.model import EPOCH, Access, AccessKind
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, NOON, ROOM, World, said, world


def place(thing: str, container: str = HALL) -> dict[str, str]:
    return {"object": thing, "container": container}


async def suggest(w: World, other: str = "bob", **changed: Any) -> None:
    """Suggest that ann and another meet: ann's message 1 and the other's message 2 are alike; cat knows both."""
    record = {
        "pair": f"ann {other}",
        "people": ["ann", other],
        "score": -1.5,
        "terms": {"alike work": 1.0, "usual": -2.5},
        "ground": [{"places": [place("chat:1"), place("chat:2")], "words": ["replica", "cache"], "likeness": 0.6}],
        "introducers": [{"person": "cat", "places": [place("chat:1"), place("chat:2")]}],
        "withdrawn": False,
        "heldOut": False,
        "model": "meet-1 links-1",
        "published": NOON,
        **changed,
    }
    hidden = record["withdrawn"] or record["heldOut"]
    await w.publish(topics.MEETING, record["pair"], record)
    await eventually(
        lambda: (w.parts.meetings.get("ann", other) is None) == hidden, what="it is held", within=5, pause=0.01
    )


async def organisation(w: World) -> None:
    await w.opened(HALL)
    await w.happens(said(1, text="my replica", who="ann"), said(2, text="their cache", who="bob"), said(3, who="cat"))
    await suggest(w)


async def met(w: World, as_: str = "ann") -> list[dict[str, Any]]:
    found = await w.json("/v1/me/people", as_=as_)
    assert found["totalItems"] == len(found["orderedItems"])
    return list(found["orderedItems"])


async def test_people_to_meet_come_with_common_ground_and_who_could_introduce_them() -> None:
    async with world() as w:
        await organisation(w)
        for me, other, mine in (("ann", "bob", "my replica"), ("bob", "ann", "their cache")):
            (one,) = await met(w, me)
            assert (one["id"], one["name"]) == (other, other.title())
            assert one["common"][0]["words"] == ["replica", "cache"]
            assert [item["whose"] for item in one["common"][0]["items"]] == ["you", "they"]
            assert one["common"][0]["items"][0]["title"] == mine
            assert [introducer["id"] for introducer in one["introducers"]] == ["cat"]
        assert await met(w, "cat") == []


async def test_meetings_held_out_or_taken_back_are_shown_to_neither() -> None:
    async with world() as w:
        await organisation(w)
        for change in ("heldOut", "withdrawn"):
            await suggest(w, "bob", **{change: True})
            assert await met(w, "ann") == await met(w, "bob") == []
            await suggest(w)
            assert len(await met(w, "ann")) == 1
        await w.publish(topics.MEETING, "ann bob", None)
        await eventually(lambda: w.parts.meetings.get("bob", "ann") is None, what="it is gone", within=5, pause=0.01)
        assert await met(w, "bob") == []


async def test_ground_that_either_may_not_open_is_shown_to_neither() -> None:
    async with world() as w:
        await organisation(w)
        for opener in ("ann", "bob"):
            await w.allow(Access(id="chat:2", kind=AccessKind.OBJECT, restricted=True, principals=(opener,)))
            assert await met(w, "ann") == await met(w, "bob") == []
        await w.allow(Access(id="chat:2", kind=AccessKind.OBJECT, restricted=True, principals=("ann", "bob")))
        assert len(await met(w, "ann")) == len(await met(w, "bob")) == 1


async def test_an_introducer_known_from_a_closed_place_is_not_named() -> None:
    async with world() as w:
        await organisation(w)
        await w.opened(ROOM, "bob", "cat")
        await suggest(w, introducers=[{"person": "cat", "places": [place("chat:1"), place("chat:9", ROOM)]}])
        for me in ("ann", "bob"):
            (one,) = await met(w, me)
            assert one["introducers"] == []


async def test_declining_is_silent_and_holds_for_both() -> None:
    async with world() as w:
        await organisation(w)
        await react(w, "bob", "not-useful")
        assert await met(w, "ann") == await met(w, "bob") == []
        await react(w, "bob", "not-useful", undone=True)
        assert len(await met(w, "bob")) == 1


async def react(w: World, subject: str, kind: str, **more: Any) -> None:
    body = {"subject": subject, "kind": kind, "surface": "people", **more}
    answer = await w.client.post("/v1/feedback?as=ann", json=body)
    assert answer.status == 204, await answer.text()


async def feedback(w: World) -> list[dict[str, Any]]:
    codec, reader = Codec("feedback"), await w.bus.reader()
    bounds = await reader.bounds(topics.FEEDBACK.name(w.bus.prefix))
    await reader.start_at({p: first for p, (first, _) in bounds.items()})
    found = [codec.decode(one.value) for one in await reader.poll(limit=100, wait=0.1) if one.value]
    await reader.stop()
    return found


async def test_the_page_shows_whom_to_meet_logs_it_once_and_takes_answers() -> None:
    async with world() as w:
        await organisation(w)
        for _ in range(2):
            page = await (await w.get("/people")).text()
        assert "Bob" in page
        assert "Both are about replica, cache." in page
        assert 'href="/objects/chat%3A2"' in page
        (seen,) = await feedback(w)
        assert (seen["kind"], seen["subject"], seen["surface"], seen["rank"]) == ("seen", "bob", "people", 1)
        assert seen["terms"] == {"alike work": 1.0, "usual": -2.5}
        assert (seen["score"], seen["model"]) == (-1.5, "meet-1 links-1")
        form = {"subject": "bob", "kind": "not-useful", "rank": "1"}
        answer = await w.client.post("/people/feedback?as=ann", data=form, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/people?done=not-useful")
        page = await (await w.get("/people", params={"done": "not-useful"})).text()
        assert "They are not told." in page
        assert 'value="bob"' not in page.split("People to meet")[1]


async def test_the_page_takes_no_act_that_it_has_no_button_for() -> None:
    async with world() as w:
        for form in ({"subject": "bob", "kind": "opt-out"}, {"subject": "", "kind": "follow"}):
            assert (await w.client.post("/people/feedback?as=ann", data=form)).status == 400


def part(container: str, count: int = 5, expected: float = 0.3, objects: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"container": container, "count": count, "expected": expected, "people": 4, "objects": list(objects)}


async def rise(w: World, kind: str, label: str, *parts: dict[str, Any]) -> None:
    record = {
        "id": label,
        "label": label,
        "windowStart": NOON,
        "windowEnd": NOON,
        "score": 0.5,
        "kind": kind,
        "words": [label],
        "parts": list(parts),
    }
    await w.publish(topics.TREND, f"{kind}:{label}|1", record)
    await eventually(
        lambda: any(r["label"] == label for r in w.parts.trends.newest()), what="it is held", within=5, pause=0.01
    )


async def trends(w: World, as_: str = "ann", **params: str) -> dict[str, dict[str, Any]]:
    found = await w.json("/v1/trends", as_=as_, params=params)
    return {one["name"]: one for one in found["orderedItems"]}


async def test_trends_count_only_what_the_asker_may_open() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await rise(w, "rise", "stew", part(HALL, 5, objects=("chat:1",)), part(ROOM, 9, objects=("chat:2",)))
        await rise(w, "rise", "secret", part(HALL, 1), part(ROOM, 9))
        mine, theirs = await trends(w), await trends(w, "bob")
        assert set(mine) == {"stew"}
        assert (mine["stew"]["count"], [p["id"] for p in mine["stew"]["places"]]) == (5, [HALL])
        assert {name: one["count"] for name, one in theirs.items()} == {"stew": 14, "secret": 10}
        assert theirs["stew"]["score"] > mine["stew"]["score"] > 3


async def test_half_of_a_jump_or_of_the_same_work_is_shown_to_nobody() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await rise(w, "jump", "stew", part(ROOM), part(HALL))
        await rise(w, "same-work", "cache", part(HALL), part(ROOM))
        assert await trends(w) == {}
        assert set(await trends(w, "bob")) == {"stew", "cache"}


async def test_a_part_with_an_example_that_was_closed_is_not_counted() -> None:
    async with world() as w:
        await w.opened(HALL)
        await rise(w, "rise", "stew", part(HALL, objects=("chat:1",)))
        assert set(await trends(w)) == {"stew"}
        await w.allow(Access(id="chat:1", kind=AccessKind.OBJECT, restricted=True, principals=("bob",)))
        assert await trends(w) == {}


async def test_trends_are_asked_for_by_kind_and_place() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        await rise(w, "rise", "stew", part(HALL))
        await rise(w, "jump", "soup", part(HALL), part(ROOM))
        assert set(await trends(w, kind="jump")) == set(await trends(w, container=ROOM)) == {"soup"}
        assert (await w.get("/v1/trends", params={"kind": "fall"})).status == 400


async def test_old_weeks_are_not_shown() -> None:
    async with world() as w:
        await w.opened(HALL)
        for week, label in enumerate(["soup", "stew", "bread"]):
            record = {"id": label, "label": label, "windowStart": EPOCH.replace(day=1 + week), "windowEnd": NOON}
            await w.publish(topics.TREND, label, record | {"kind": "rise", "words": [], "parts": [part(HALL)]})
        await eventually(lambda: len(w.parts.trends.newest()) == 2, what="all are held", within=5, pause=0.01)
        assert set(await trends(w)) == {"stew", "bread"}
