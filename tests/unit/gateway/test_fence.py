"""What the index counts: nothing that was closed a moment ago, however late the index hears of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.common import topics
from services.common.model import Access, AccessKind, Visibility
from services.common.records import access_out
from services.gateway.fence import Behind, Fence
from tests.unit.gateway.world import HALL, ROOM, World, said, world

Closing = Callable[[World], Awaitable[None]]


async def tell(w: World, record: Access) -> None:
    """Publish an access record that the index does not hear of."""
    await w.publish(topics.ACCESS, record.id, access_out(record))
    await w.parts.access.caught_up()


async def revoked(w: World) -> None:
    await tell(w, Access(id=ROOM, kind=AccessKind.CONTAINER, visibility=Visibility.RESTRICTED, principals=("carl",)))


async def closed_to_all(w: World) -> None:
    await tell(w, Access(id=ROOM, kind=AccessKind.CONTAINER))


async def restricted_object(w: World) -> None:
    await tell(w, Access(id="chat:1", kind=AccessKind.OBJECT, restricted=True, principals=("carl",)))


async def forgotten(w: World) -> None:
    await w.publish(topics.ACCESS, ROOM, None)
    await w.parts.access.caught_up()


async def unreadable(w: World) -> None:
    await w.publish_bytes(ROOM, b"junk", topics.ACCESS)
    await w.parts.access.caught_up()


CLOSINGS = (revoked, closed_to_all, restricted_object, forgotten, unreadable)


def impatient(w: World) -> None:
    w.parts.fence._patience = 0.2


@pytest.mark.parametrize("close", CLOSINGS)
async def test_a_search_is_refused_rather_than_counting_what_was_closed(close: Closing) -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        await w.happens(said(1, where=ROOM))
        assert (await w.json("/v1/activities", as_="bob"))["totalItems"] == 1
        impatient(w)
        await close(w)
        answer = await w.get("/v1/search?q=message", as_="bob")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert (await answer.json(content_type=None))["type"] == "/docs#not-yet"


@pytest.mark.parametrize("close", CLOSINGS)
async def test_a_search_waits_for_the_index_and_then_counts_nothing_closed(close: Closing) -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        await w.happens(said(1, where=ROOM))
        await close(w)
        asking = asyncio.create_task(w.json("/v1/search", as_="bob", params={"q": "message"}))
        await asyncio.sleep(0.1)
        assert not asking.done()
        await w.grant()
        page = await asking
        assert (page["totalItems"], page["facets"]["person"]) == (0, {})


async def test_who_loses_nothing_does_not_wait() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob", "carl")
        await w.happens(said(1))
        impatient(w)
        await revoked(w)
        assert (await w.json("/v1/activities", as_="ann"))["totalItems"] == 1
        assert (await w.get("/v1/activities", as_="bob")).status == 503


async def test_what_is_opened_is_not_waited_for() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        impatient(w)
        await w.publish_access("chat:new")
        await tell(w, Access(id=ROOM, kind=AccessKind.CONTAINER, visibility=Visibility.RESTRICTED, principals=("bob",)))
        assert (await w.json("/v1/activities", as_="bob"))["totalItems"] == 1


async def test_after_a_restart_the_index_must_know_all_that_was_closed_meanwhile() -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        await w.happens(said(1, where=ROOM))
        await revoked(w)
        async with world(w.bus, w.search) as again:
            impatient(again)
            assert (await again.get("/v1/activities", as_="bob")).status == 503
            await w.grant()
            assert (await again.json("/v1/activities", as_="bob"))["totalItems"] == 0


async def test_many_who_wait_ask_the_index_once_at_a_time() -> None:
    asked = 0

    class Slow:
        async def get(self, *_: object, **__: object) -> dict[str, object]:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.05)
            return {}

    fence = Fence(Slow(), patience=0.3)  # type: ignore[arg-type]
    fence.lost(0, 7, {"everyone"})
    found = await asyncio.gather(*(fence.passed(()) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(one, Behind) for one in found)
    assert asked < 10
