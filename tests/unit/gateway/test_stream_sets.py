"""Several feeds and filters on one connection, changed while it is open, in whatever process it is."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from services.common.bus.memory import MemoryBus
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, ROOM, Listener, World, said, world


async def ask(w: World, subscriptions: Mapping[str, str], *, as_: str = "ann", name: str = "page") -> int:
    body = {"subscriptions": dict(subscriptions)}
    answer = await w.client.put(f"/v1/me/streams/{name}", params={"as": as_}, json=body)
    return answer.status


async def sets(stream: Listener, count: int) -> Any:
    return json.loads((await stream.until(count, "subscriptions"))[count - 1].data)


def answered(events: list[Any]) -> list[tuple[str, list[str]]]:
    found = [json.loads(event.data) for event in events]
    return sorted((one["activity"].get("id") or one["activity"]["object"], one["for"]) for one in found)


async def test_one_connection_reads_several_questions_and_says_which_an_event_answers() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        assert await ask(w, {"room": f"container={ROOM}", "words": "q=release", "mine": "feed=for-you"}) == 204
        async with w.listening(set="page") as stream:
            await sets(stream, 1)
            await w.happens(said(1, where=ROOM), said(2, text="release"), said(3), said(4, text="release", where=ROOM))
            await recommend(w, "chat:9", 1.0)
            assert answered(await stream.until(4)) == [
                ("chat:1#chat.message", ["room"]),
                ("chat:2#chat.message", ["words"]),
                ("chat:4#chat.message", ["room", "words"]),
                ("chat:9", ["mine"]),
            ]


async def test_the_questions_are_changed_without_reconnecting() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        await ask(w, {"hall": f"container={HALL}"})
        async with w.listening(set="page") as stream:
            assert await sets(stream, 1) == {"hall": f"container={HALL}"}
            await w.happens(said(1), said(2, where=ROOM))
            await stream.until(1)
            await ask(w, {"room": f"container={ROOM}"})
            assert await sets(stream, 2) == {"room": f"container={ROOM}"}
            await w.happens(said(3), said(4, where=ROOM))
            assert answered(await stream.until(2)) == [
                ("chat:1#chat.message", ["hall"]),
                ("chat:4#chat.message", ["room"]),
            ]


async def test_a_set_is_changed_through_another_process_and_outlives_all() -> None:
    bus = MemoryBus("t.")
    async with world(bus) as one, world(bus) as other:
        await one.opened(HALL)
        assert await ask(one, {"hall": f"container={HALL}"}) == 204
        async with one.listening(set="page") as stream:
            await sets(stream, 1)
            await ask(other, {"words": "q=release"})
            assert await sets(stream, 2) == {"words": "q=release"}
    async with world(bus) as w:
        assert (await w.json("/v1/me/streams/page"))["subscriptions"] == {"words": "q=release"}


async def test_an_id_holds_the_place_in_every_feed() -> None:
    async with world() as w:
        await w.opened(HALL)
        await ask(w, {"all": "", "mine": "feed=for-you"})
        async with w.listening(set="page") as stream:
            start = await stream.begun()
            await w.happens(said(1))
            await stream.until(1)
            await recommend(w, "chat:9", 1.0)
            first, second = await stream.until(2)
        for later, (last, rest) in enumerate(((start, 2), (first.id, 1), (second.id, 0))):
            async with w.listening(set="page", last=last) as again:
                await w.happens(said(20 + later))
                events = await again.until(rest + later + 1)  # feeds take turns: what is later may come earlier
                expected = [("chat:1#chat.message", ["all"]), ("chat:9", ["mine"])][2 - rest :]
                seen = [one for one in answered(events) if not one[0].startswith("chat:2")]
                assert sorted(seen) == expected


async def test_removing_a_set_ends_its_streams() -> None:
    async with world() as w:
        await ask(w, {"all": ""})
        async with w.listening(set="page") as stream:
            await stream.begun()
            assert (await w.client.delete("/v1/me/streams/page?as=ann")).status == 204
            await stream.ended()
            assert json.loads(stream.of("end")[0].data)["reason"] == "removed"
        assert (await w.get("/v1/stream", params={"set": "page"})).status == 404


async def test_a_set_is_its_owners_alone() -> None:
    async with world() as w:
        await ask(w, {"all": ""})
        assert await w.json("/v1/me/streams") == {"page": {"all": ""}}
        assert await w.json("/v1/me/streams", as_="bob") == {}
        assert (await w.get("/v1/stream", as_="bob", params={"set": "page"})).status == 404
        assert (await w.client.delete("/v1/me/streams/page?as=bob")).status == 404
        assert await ask(w, {"all": ""}, as_="") == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"": "q=x"},
        {"a": "feed=mine"},
        {"a": "colour=red"},
        {"a": "since=yesterday"},
        {"a": "q=" + "x" * 5_000},
        {f"n{n}": "" for n in range(21)},
        {"a\n": ""},
    ],
)
async def test_what_is_wrong_with_a_set_is_said_before_it_is_stored(wrong: dict[str, str]) -> None:
    async with world() as w:
        assert await ask(w, wrong) == 400
        assert await w.json("/v1/me/streams") == {}


async def test_a_lost_place_is_told_for_its_feed_and_each_question_has_its_page() -> None:
    async with world() as w:
        await ask(w, {"hall": f"container={HALL}", "mine": "feed=for-you"})
        async with w.listening(set="page") as stream:
            start = await stream.begun()
        async with world() as new:
            await ask(new, {"hall": f"container={HALL}", "mine": "feed=for-you"})
            new.parts.hub.mark = b"abcd"
            async with new.listening(set="page", last=start) as stream:
                (event, *_) = await stream.until(1, "reset")
                assert json.loads(event.data) == {
                    "reason": "incarnation",
                    "feed": "all",
                    "refill": {"hall": "/v1/activities?container=chat%3Ahall"},
                }
