"""kill -9 of the indexing process in the middle of its work."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from services.common.model import Enriched
from tests.integration.indexer.world import World, ids, page, until

pytestmark = pytest.mark.integration
COUNT = 12_000


async def start(world: World, elastic: str, folder: Path, *command: str, output: bool = False) -> Process:
    config = folder / "watercooler.toml"
    config.touch()
    env = {
        **os.environ,
        "WATERCOOLER_KAFKA": world.bootstrap,
        "WATERCOOLER_ELASTICSEARCH": elastic,
        "WATERCOOLER_TOPIC_PREFIX": world.bus.prefix,
        "WATERCOOLER_INDEX_PREFIX": world.bus.prefix[:-1] + "-",
        "WATERCOOLER_INDEX_PORT": "0",
        "WATERCOOLER_CONFIG": str(config),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", *command, env=env, stdout=PIPE if output else None
    )


@pytest.fixture
def states() -> list[Enriched]:
    """4,000 pages in three states each."""
    return [page(n % 4_000, order=1 + n // 4_000, text=f"state {n} " * 20) for n in range(COUNT)]


async def test_killed_twice_under_load_the_index_holds_exactly_the_distinct_ids(
    world: World, elastic: str, tmp_path: Path, states: list[Enriched]
) -> None:
    await world.open_hall()
    await world.say(*states)

    async def some(least: int) -> bool:
        return await world.count() >= least

    for least in (1_000, 4_000):
        process = await start(world, elastic, tmp_path, "index")
        await until(lambda least=least: some(least), within=60)  # type: ignore[misc]
        process.kill()
        await process.wait()
        await world.say(*states[:500])  # and something said again meanwhile
    process = await start(world, elastic, tmp_path, "index")

    async def all_committed() -> bool:
        return sum((await world.committed()).values()) == COUNT + 1_000

    try:
        await until(all_committed, within=90)
    finally:
        process.terminate()
        assert await process.wait() == 0
    assert await world.count() == len(ids(states)) == COUNT
    assert await world.count("objects") == 4_000
    for number in range(0, 4_000, 500):
        document = await world.document("objects", f"wiki:page/{number}")
        assert document["text"].startswith(f"state {number + 8_000} ")
    assert await world.letters() == []
