"""kill -9 of each service in turn, twice, under load: nothing lost, nothing doubled, from the log to the reader."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.e2e.load import write
from tests.fixtures.sse import StreamReader
from tests.fixtures.stack import Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.may_block("drives processes and waits for them")]

KILLED = ("enrich", "index", "gateway", "score")


async def enriched_ids(stack: Stack) -> Counter[str]:
    """Return how often each id stands in the enriched topic, read committed, repetitions that are marked left out."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.environ["WATERCOOLER_KAFKA"],
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(f"{stack.prefix}enriched.v1", n) for n in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: Counter[str] = Counter()
        while any([await consumer.position(p) < end for p, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                found.update(r.key.decode() for r in batch if "redelivered" not in dict(r.headers))
        return found
    finally:
        await consumer.stop()


async def killing(stack: Stack, services: tuple[str, ...], pause: float) -> None:
    """Kill and start again each service, in turn, twice."""
    for service in services * 2:
        await asyncio.sleep(pause)
        stack.end(service, signal.SIGKILL)
        stack.start(service)


async def import_through_kills(stack: Stack, path: Path, pause: float) -> None:
    """Import a file while the import itself is killed twice and begun again where it stopped."""
    for patience in (pause, pause, None):
        process = await asyncio.create_subprocess_exec(
            *("python", "-m", "services", "import", str(path), "--source", "load"),
            env={**stack.environ, "PATH": str(Path(__import__("sys").executable).parent)},
            cwd=stack.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await asyncio.wait_for(process.communicate(), patience)
            assert process.returncode == 0, said.decode()[-2000:]
            return
        except TimeoutError:
            process.kill()
            await process.wait()


async def run_through_kills(stack: Stack, path: Path, count: int, pause: float) -> None:
    wanted = {f"load:chat:{n}" for n in range(count)}
    stack.start("enrich", "score", "index", "gateway")
    await stack.ready()
    reader = StreamReader(url=stack.url, person="person:1")
    reading = asyncio.create_task(reader.run())
    await eventually(lambda: reader.connections, what="the reader is connected", stack=stack)
    async with asyncio.TaskGroup() as group:
        group.create_task(import_through_kills(stack, path, pause))
        group.create_task(killing(stack, KILLED, pause))
    await stack.ready()
    await eventually(lambda: len(set(reader.ids)) >= count, what="the reader saw every id", stack=stack, within=300)
    found = await enriched_ids(stack)
    assert set(found) == wanted
    assert {one: n for one, n in found.items() if n > 1} == {}
    assert Counter(reader.ids).most_common(1)[0][1] == 1
    assert set(reader.ids) == wanted
    assert not reader.resets

    async def indexed() -> bool:
        return await count_in_index(stack) == count

    await eventually(indexed, what=f"the index holds exactly {count} activities", stack=stack, within=300)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def count_in_index(stack: Stack) -> int:
    """Return how many activities the index holds, after a refresh."""
    from elasticsearch import AsyncElasticsearch

    async with AsyncElasticsearch(stack.environ["WATERCOOLER_ELASTICSEARCH"]) as client:
        index = f"{stack.environ['WATERCOOLER_INDEX_PREFIX']}activities"
        await client.indices.refresh(index=index)
        return int((await client.count(index=index))["count"])


@pytest.mark.timeout(600)
async def test_nothing_is_lost_when_services_are_killed(stack: Stack, tmp_path: Path) -> None:
    await run_through_kills(stack, write(tmp_path / "load.jsonl.gz", 6_000), 6_000, pause=2.0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_nothing_is_lost_of_60_000_when_services_are_killed(stack: Stack, tmp_path: Path) -> None:
    await run_through_kills(stack, write(tmp_path / "load.jsonl.gz", 60_000), 60_000, pause=6.0)
