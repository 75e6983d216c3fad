"""Who finds what, and how soon a change of that is in force."""

from time import monotonic
from typing import Any

import pytest

from services.common import topics
from services.common.access import EVERYONE
from services.common.bus import Outgoing
from services.common.model import Access, AccessKind, Visibility
from services.common.search import APPLIED, Query
from services.indexer.access_consumer import GrantsWriter
from tests.integration.indexer.world import HALL, World, page, running, until

pytestmark = pytest.mark.integration


def container(visibility: Visibility, *principals: str) -> Access:
    return Access(id=HALL, kind=AccessKind.CONTAINER, visibility=visibility, principals=principals, source="wiki")


async def finds(world: World, *principals: str) -> bool:
    asked = Query(kind="activities", principals=(EVERYONE, *principals), size=1)
    return bool((await world.search.find(asked)).hits)


async def test_a_container_without_a_record_is_nobodys(world: World) -> None:
    async with running(world):
        await world.say(page(1))

        async def indexed() -> bool:
            return await world.count() == 1

        await until(indexed)
        assert not await finds(world)
        assert not await finds(world, "ann")
        await world.allow(container(Visibility.UNKNOWN, "ann"))
        await world.allow(Access(id="elsewhere", kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC))

        async def applied() -> bool:
            return "elsewhere" in (await world.document("grants", "everyone")).get("containers", ())

        await until(applied)
        assert not await finds(world, "ann")


async def test_a_revocation_is_in_force_within_seconds_while_bulks_are_under_way(world: World) -> None:
    async with running(world):
        await world.allow(container(Visibility.RESTRICTED, "ann", "group:board"))
        await world.say(*(page(n, text="text " * 200) for n in range(3_000)))

        async def ann_finds() -> bool:
            return await finds(world, "ann")

        await until(ann_finds)
        assert await finds(world, "group:board")
        assert not await finds(world)
        await world.say(*(page(n, text="text " * 200) for n in range(3_000, 6_000)))
        began = monotonic()
        await world.allow(container(Visibility.RESTRICTED, "group:board"))

        async def ann_does_not() -> bool:
            return not await finds(world, "ann")

        await until(ann_does_not)
        assert monotonic() - began < 5
        assert await finds(world, "group:board")


async def test_a_single_object_is_closed_and_opened_to_some_after_it_was_indexed(world: World) -> None:
    await world.open_hall()
    async with running(world):
        await world.say(page(1), page(2))

        async def both() -> bool:
            return len(await world.found()) == 2

        await until(both)
        await world.allow(
            Access(id="wiki:page/1", kind=AccessKind.OBJECT, restricted=True, principals=("ann",), source="wiki")
        )

        async def closed() -> bool:
            return await world.found() == ["wiki:page/2@1#wiki.edit"]

        async def open_to_ann() -> bool:
            return len(await world.found("activities", "ann")) == 2

        await until(closed, within=5)
        await until(open_to_ann, within=5)


async def test_what_changed_while_nobody_listened_is_in_force_before_the_service_is_up(world: World) -> None:
    await world.allow(container(Visibility.RESTRICTED, "ann"))
    async with running(world):
        await world.say(page(1))

        async def ann_finds() -> bool:
            return await finds(world, "ann")

        await until(ann_finds)
    await world.allow(container(Visibility.RESTRICTED, "bo"))
    async with running(world):
        assert not await finds(world, "ann")
        assert await finds(world, "bo")
        assert await world.document("grants", "ann") == {}


async def test_large_grants_are_split_and_shrink_again(world: World) -> None:
    def room(number: int, *principals: str) -> Access:
        return Access(
            id=f"room:{number:02}", kind=AccessKind.CONTAINER, visibility=Visibility.RESTRICTED, principals=principals
        )

    await world.allow(*(room(n, "ann") for n in range(10)))
    for wanted in (10, 2):
        await world.allow(*(room(n) for n in range(wanted, 10)))
        grants = GrantsWriter(world.bus, world.search, part=4)
        await grants.load()
        await grants.stop()
        parts = await world.search.get("grants", ["ann", "ann#2", "ann#3"], principals=None)
        assert sorted(c for part in parts.values() for c in part["containers"]) == [
            f"room:{n:02}" for n in range(wanted)
        ]
        assert [part["parts"] for part in parts.values()] == [-(-wanted // 4)] * -(-wanted // 4)


async def test_an_access_record_that_cannot_be_read_closes_its_container(world: World) -> None:
    await world.open_hall()
    async with running(world):
        await world.say(page(1))

        async def open_() -> bool:
            return await finds(world)

        await until(open_)
        await world.publisher.publish(
            [Outgoing(topic=topics.ACCESS.name(world.bus.prefix), key=HALL, value=b"not avro")]
        )

        async def closed() -> bool:
            return not await finds(world)

        async def applied() -> bool:
            offsets = (await world.document("grants", APPLIED))["objects"]
            return sum(int(one.split(":")[1]) for one in offsets) == 2

        await until(closed, within=5)
        await until(applied, within=5)


async def test_what_is_forbidden_takes_as_many_questions_as_what_is_absent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(world):
        await world.say(page(1))

        async def indexed() -> bool:
            return await world.count() == 1

        await until(indexed)
    asked: list[str] = []
    ask = world.search._client.ask

    async def counted(method: str, path: str, *body: Any, **params: Any) -> Any:
        asked.append(path)
        return await ask(method, path, *body, **params)

    monkeypatch.setattr(world.search._client, "ask", counted)
    assert await world.search.get("objects", ["wiki:page/1"], principals=("ann",)) == {}
    assert await world.search.get("objects", ["absent"], principals=("ann",)) == {}
    assert asked[: len(asked) // 2] == asked[len(asked) // 2 :] != []
