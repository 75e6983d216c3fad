"""Views hold what a topic held when they were loaded, and follow it from there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from services.common import topics
from services.common.access import AccessView
from services.common.bus import Outgoing, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.errors import Retry
from services.common.model import Access, AccessKind, Visibility
from services.common.records import access_out
from services.common.view import View


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus("t.")


async def publish(bus: MemoryBus, *keys: str) -> None:
    publisher = await bus.publisher()
    await publisher.publish([Outgoing(topic="t.access.v1", key=key, value=key.encode()) for key in keys])


async def grant(bus: MemoryBus, id_: str, *principals: str) -> None:
    record = Access(id=id_, kind=AccessKind.CONTAINER, visibility=Visibility.RESTRICTED, principals=principals)
    publisher = await bus.publisher()
    value = Codec("access").encode(access_out(record))
    await publisher.publish([Outgoing(topic=topics.ACCESS.name("t."), key=id_, value=value)])


@pytest.fixture
async def following() -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_view_holds_all_that_was_there_before_and_then_what_comes(
    bus: MemoryBus, following: list[asyncio.Task[None]]
) -> None:
    seen: list[str] = []

    def take(record: Received) -> None:
        seen.append(record.key)

    await publish(bus, *(f"k{n}" for n in range(2500)))
    view = View(bus, "t.access.v1", take)
    await view.load()
    assert sorted(seen) == sorted(f"k{n}" for n in range(2500))
    following.append(asyncio.create_task(view.follow()))
    await publish(bus, "late")
    await asyncio.wait_for(view.caught_up(), 5)
    assert seen[-1] == "late"
    await view.stop()


async def test_a_view_of_an_empty_topic_is_loaded_at_once(bus: MemoryBus) -> None:
    view = View(bus, "t.access.v1", lambda _: None)
    await asyncio.wait_for(view.load(), 5)
    await view.caught_up()
    await view.stop()


async def test_a_view_of_a_missing_topic_says_so() -> None:
    with pytest.raises(Retry, match=r"t\.access\.v1"):
        await View(MemoryBus("t.", topics=()), "t.access.v1", lambda _: None).load()


async def test_access_is_decided_by_the_newest_record(bus: MemoryBus, following: list[asyncio.Task[None]]) -> None:
    await grant(bus, "room", "ann", "bob")
    access = AccessView(bus)
    await access.load()
    assert access.may_open(["bob"], "room")
    following.append(asyncio.create_task(access.follow()))
    await grant(bus, "room", "ann")
    for _ in range(500):
        if not access.may_open(["bob"], "room"):
            break
        await asyncio.sleep(0.01)
    assert not access.may_open(["bob"], "room")
    assert access.may_open(["ann"], "room")
    await access.stop()


async def test_a_record_that_cannot_be_read_closes_and_a_tombstone_forgets(bus: MemoryBus) -> None:
    await grant(bus, "room", "ann")
    await grant(bus, "other", "ann")
    publisher = await bus.publisher()
    name = topics.ACCESS.name("t.")
    await publisher.publish(
        [Outgoing(topic=name, key="room", value=b"junk"), Outgoing(topic=name, key="other", value=None)]
    )
    access = AccessView(bus)
    await access.load()
    assert not access.may_open(["ann"], "room")
    assert access.withdrawn("room", "1", 1)
    assert not access.may_open(["ann"], "other")
    assert not access.withdrawn("other", "1", 1)
    await access.stop()
