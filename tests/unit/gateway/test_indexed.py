"""Where to go on live behind a page, as far as the ring of events alone decides it."""

import asyncio

from services.common.access import AccessView
from services.common.bus import Partition, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.records import enriched_out
from services.common.search import Page, Query
from services.common.search.memory import MemorySearch
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.fence import Fence
from services.gateway.filters import Filters
from services.gateway.indexed import Indexed
from services.gateway.stream import makers
from services.gateway.stream.events import Event, Maker
from services.gateway.stream.hub import Hub
from services.gateway.stream.ring import Ring
from services.gateway.turns import Turns
from tests.unit.gateway.world import HALL, ROOM, said, world

MANY = 1_000


def full(ring: Ring, maker: Maker) -> Ring:
    """Fill a ring with events that nobody has decoded yet."""
    value, there = Codec("enriched").encode(enriched_out(said(1))), Partition("t", 0)
    for n in range(MANY):
        record = Received(partition=there, offset=n, key=f"chat:{n}", value=value, headers={}, timestamp=0)
        ring.append(Event(record, (n + 1,), maker))
    return ring


async def others(turns: list[int]) -> None:
    """Count the turns that others on the event loop get."""
    while True:
        await asyncio.sleep(0)
        turns.append(1)


async def test_a_question_that_nothing_answers_leaves_turns_to_others() -> None:
    bus, search, turns = MemoryBus("t."), MemorySearch(), list[int]()
    access = AccessView(bus)
    maker = makers.activities(access, lambda _: None)
    hub = Hub(bus, "t", maker, access, ring=full(Ring((0,)), maker))
    indexed = Indexed(hub, Desk(search, access, Fence(search), Turns(8)))
    beside = asyncio.create_task(others(turns))
    nothing = Filters(values=(("tag", ("none",)),))
    found = await indexed.position(Asker(person="ann", principals=("everyone", "ann")), nothing)
    beside.cancel()
    assert (found.offsets, len(turns) >= MANY // 200) == ((MANY,), True)


class Counted(MemorySearch):
    """Counts the questions for ids."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []

    async def find(self, query: Query) -> Page:
        if "id" in query.filters:
            self.asked.append(tuple(sorted(query.filters["id"])))
        return await super().find(query)


async def test_what_was_found_once_is_not_asked_for_again_until_something_is_opened() -> None:
    search = Counted()
    async with world(search=search) as w:
        await w.opened(HALL)
        await w.happens(said(1))
        for _ in range(3):
            assert (await w.json("/v1/activities"))["totalItems"] == 1
        await w.json("/v1/activities", as_="bob")
        await w.happens(said(2), index=False)
        for _ in range(2):
            await w.json("/v1/activities")
        await w.index(said(2))
        await w.opened(ROOM)
        await w.json("/v1/activities")
    one, two = "chat:1#chat.message", "chat:2#chat.message"
    assert search.asked == [(one,), (one,), (two,), (two,), (one, two)]
