"""A whole stack for a benchmark: services as processes on given servers, and how far each has read."""

import asyncio
import gzip
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import orjson
import psutil
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from elasticsearch import AsyncElasticsearch

from tests.fixtures.stack import Stack, environment

GROUPS = ("enrich", "redact", "retract", "correct", "score", "indexer")
MEGABYTE = 1 << 20


@asynccontextmanager
async def whole(kafka: str, elastic: str, *services: str, **settings: str) -> AsyncIterator[Stack]:
    """Start services under prefixes of their own; what they made is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="watercooler-bench-") as name:
        environ, ports = environment(kafka, elastic, Path(name))
        stack = Stack(Path(name), {**environ, **settings}, ports, as_up=True)
        await asyncio.to_thread(stack.run, "topics", "apply")
        try:
            stack.start(*services)
            await stack.ready()
            yield stack
        finally:
            await asyncio.to_thread(stack.stop)
            await clean(stack)


async def clean(stack: Stack) -> None:
    """Remove the topics and indices of a stack."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.environ["WATERCOOLER_KAFKA"])
    await admin.start()
    try:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(stack.prefix)])
    finally:
        await admin.close()
    async with AsyncElasticsearch(stack.environ["WATERCOOLER_ELASTICSEARCH"]) as client:
        found = await client.indices.get(index=f"{stack.environ['WATERCOOLER_INDEX_PREFIX']}*")
        for index in found:
            await client.indices.delete(index=index)


async def lags(stack: Stack) -> dict[str, int]:
    """Return per consumer group how many records it has still to read."""
    server = stack.environ["WATERCOOLER_KAFKA"]
    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    consumer = AIOKafkaConsumer(bootstrap_servers=server, enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        found: dict[str, int] = {}
        for group in GROUPS:
            stored = await admin.list_consumer_group_offsets(f"{stack.prefix}{group}")
            ends = await consumer.end_offsets(list(stored)) if stored else {}
            left = (end - max(stored[place].offset, 0) for place, end in ends.items())
            # The end of a transaction takes an offset that no reader commits: one is left in each partition.
            found[group] = sum(each for each in left if each > 1)
        return found
    finally:
        await consumer.stop()
        await admin.close()


async def indexed(stack: Stack, alias: str = "activities") -> int:
    """Return how many documents an alias holds, after a refresh."""
    index = f"{stack.environ['WATERCOOLER_INDEX_PREFIX']}{alias}"
    async with AsyncElasticsearch(stack.environ["WATERCOOLER_ELASTICSEARCH"], request_timeout=60) as client:
        await client.indices.refresh(index=index)
        return int((await client.count(index=index))["count"])


def resident(pid: int) -> float:
    """Return the resident memory of a process and its children in MB; 0 when it has ended."""
    try:
        one = psutil.Process(pid)
        return float(sum(each.memory_info().rss for each in (one, *one.children(recursive=True))) / MEGABYTE)
    except psutil.NoSuchProcess:
        return 0.0


def busy(pid: int) -> float:
    """Return the seconds of CPU that a process and its children have used; 0 when it has ended."""
    try:
        one = psutil.Process(pid)
        return float(sum(sum(each.cpu_times()[:2]) for each in (one, *one.children(recursive=True))))
    except psutil.NoSuchProcess:
        return 0.0


def at(url: str) -> int | None:
    """Return the process that listens on the port of a URL or host:port; None where that cannot be seen."""
    port = int(url.rsplit(":", 1)[1].strip("/"))
    listening = (one for one in psutil.net_connections("tcp") if one.status == "LISTEN")
    found = (one.pid for one in listening if one.laddr and one.laddr.port == port)
    return next((pid for pid in found if pid), None)


def processes(stack: Stack) -> dict[str, int]:
    """Return the process ids of the services, and of the servers where they can be seen."""
    servers = {
        "Kafka": at(stack.environ["WATERCOOLER_KAFKA"]),
        "Elasticsearch": at(stack.environ["WATERCOOLER_ELASTICSEARCH"]),
    }
    return {name: one.pid for name, one in stack.processes.items()} | {
        name: pid for name, pid in servers.items() if pid
    }


@contextmanager
def lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Open JSON lines, gzipped or not."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield iter(file)


def distinct_ids(path: Path) -> int:
    """Return how many distinct activities a file holds."""
    with lines(path) as each:
        return len({orjson.loads(line)["id"] for line in each})
