"""A new index from the log while the old one serves and is written to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from services.common.errors import Stop
from services.common.model import Enriched, Visibility
from services.common.search import Write
from services.indexer.reindex import Report, rebuilding
from tests.integration.indexer.test_access import container
from tests.integration.indexer.test_kill import start
from tests.integration.indexer.world import HALL, World, deletion, ids, page, redacted, running, until

pytestmark = pytest.mark.integration


def quiet(done: int, total: int) -> None:
    return


async def rebuild(world: World, *, between: Sequence[Enriched] = ()) -> Report:
    async with rebuilding(world.bus, world.search) as work:
        await work.fill(quiet)
        await world.say(*between)  # the live indexer writes these through the alias, at any moment of the hand-over
        return await work.hand_over(quiet)


async def test_the_new_index_holds_what_the_log_says_and_nothing_that_was_deleted(world: World) -> None:
    await world.open_hall()
    states = [page(n, order=1 + n % 2, text="herons") for n in range(500)]
    gone = page(7, order=5, text="secretword")
    async with running(world):
        await world.say(*states, gone, deletion(7, order=6), redacted(gone), page(7, order=4, text="late secretword"))
        await until(lambda: at_least(world, 503))
        before = await world.search.indices.current("activities")
        report = await rebuild(world)
        assert await world.search.indices.current("activities") == report.new["activities"] != before
        assert report.documents == report.distinct == report.before == 503
        assert len(await world.found(text="herons")) == 500
        assert await world.found(text="secretword", kind="objects") == []
        assert (await world.document("objects", "wiki:page/7"))["deleted"] is True


async def at_least(world: World, count: int) -> bool:
    return await world.count() >= count


@asynccontextmanager
async def more_and_more(world: World, said: list[Enriched]) -> AsyncIterator[None]:
    """Go on publishing, some 100 a second, while the block runs."""

    async def go_on() -> None:
        while True:
            more = [page(len(said) + n, text="herons") for n in range(10)]
            await world.say(*more)
            said.extend(more)
            await asyncio.sleep(0.1)

    saying = asyncio.create_task(go_on())
    try:
        yield
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


async def test_nothing_is_lost_while_activities_go_on_arriving(world: World) -> None:
    await world.open_hall()
    said: list[Enriched] = []
    async with running(world):
        async with more_and_more(world, said):
            await until(lambda: at_least(world, 300))
            reports = [await rebuild(world, between=said[:10]) for _ in range(2)]
        last = page(90_000)
        await world.say(last, *said[-10:])
        await until(lambda: at_least(world, len(ids(said)) + 1))
    assert await world.count() == len(ids(said)) + 1
    assert await world.count("objects") == len(ids(said)) + 1
    assert reports[0].new["activities"] == reports[1].old["activities"]


async def test_an_activity_erased_during_the_hand_over_stays_erased(world: World) -> None:
    states = [page(n) for n in range(200)]
    async with running(world):
        await world.say(*states)
        await until(lambda: at_least(world, 200))
        async with rebuilding(world.bus, world.search) as work:
            await work.fill(quiet)
            late = page(900)
            await world.say(late)
            await world.say_bytes(late.activity.id, None)
            await work.hand_over(quiet)
        await asyncio.sleep(2)
        await until(lambda: committed_all(world, 202))
        assert await world.document("activities", late.activity.id) == {}


async def committed_all(world: World, count: int) -> bool:
    return sum((await world.committed()).values()) == count


async def test_a_record_that_the_new_index_does_not_take_leaves_everything_as_it_was(world: World) -> None:
    states = [page(n) for n in range(20)]
    bad = page(50)
    bad = replace(bad, thread="x" * 40_000)  # longer than a keyword may be
    async with running(world):
        await world.say(*states, bad)
        await until(lambda: committed_all(world, 21))
        before = await world.search.indices.all("activities")
        with pytest.raises(Stop, match="page/50"):
            await rebuild(world)
        assert await world.search.indices.all("activities") == before
        assert await world.count() == 20


async def test_the_command_says_what_it_did(world: World, elastic: str, tmp_path: Path) -> None:
    async with running(world):
        await world.say(*(page(n) for n in range(300)))
        await world.say_bytes("poison", b"junk")
        await until(lambda: committed_all(world, 301))
    old = await world.search.indices.current("activities")
    process = await start(world, elastic, tmp_path, "reindex", output=True)
    out, _ = await process.communicate()
    assert process.returncode == 0
    text = out.decode()
    assert "301 records of the log, 300 distinct activities." in text
    assert "1 records cannot be read" in text
    assert "300 before, 300 now" in text
    assert await world.search.indices.all("activities") == [await world.search.indices.current("activities")] != [old]


async def test_who_may_open_what_is_rebuilt_too_and_goes_on_being_followed(world: World) -> None:
    await world.allow(container(Visibility.RESTRICTED, "ann", "bob"))
    async with running(world):
        await world.say(page(1))
        await until(lambda: at_least(world, 1))
        junk = Write(kind="grants", id="mallory", document={"principal": "mallory", "parts": 1, "containers": [HALL]})
        await world.search.write([junk])  # what only the old index says
        assert await world.found("activities", "mallory")
        before = await world.search.indices.current("grants")
        async with rebuilding(world.bus, world.search) as work:
            await work.fill(quiet)
            await world.allow(container(Visibility.RESTRICTED, "bob"))
            await work.hand_over(quiet)
        assert await world.search.indices.current("grants") != before
        assert [bool(await world.found("activities", who)) for who in ("ann", "bob", "mallory")] == [False, True, False]
        await world.allow(container(Visibility.RESTRICTED, "carl"))

        async def carl_only() -> bool:
            return bool(await world.found("activities", "carl")) and not await world.found("activities", "bob")

        await until(carl_only)
