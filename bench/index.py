"""The indexer, from `enriched.v1` into the index, beside a bare `async_bulk` of the very documents it makes."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
import uvloop
from aiokafka.admin import AIOKafkaAdminClient
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk

from bench.table import Row
from services.common import envelope, metrics, topics
from services.common.activitystreams import parse_line
from services.common.bus import Outgoing
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.codec import Codec
from services.common.model import Enriched
from services.common.records import enriched_out
from services.common.search import Write
from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from services.common.search.indices import alias
from services.indexer.app import indexing
from services.indexer.document import writes

DATA = Path(__file__).parents[1] / "services" / "standalone" / "data" / "demo.jsonl.gz"
ROUNDS = 2
"""Each in turn, and the better of each counts: the first ones warm the server up."""
PARTITIONS = 4
NEEDED = (topics.ENRICHED, topics.ACCESS, topics.DEADLETTER)


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Index the demonstration data by both ways."""
    return await asyncio.to_thread(uvloop.run, _measured(kafka, elastic))  # as the command itself runs


async def _measured(kafka: str, elastic: str) -> list[Row]:
    states = await asyncio.to_thread(_states)
    documents = [write for state in states for write in writes(state, withdrawn=False, restricted=False)]
    bare = ours = float("inf")
    async with _log(kafka, states) as bus:
        for _ in range(ROUNDS):
            bare = min(bare, await _bare(elastic, documents))
            ours = min(ours, await _ours(bus, elastic, len(states)))
    value, peer = len(documents) / ours, len(documents) / bare
    beside = f"bare async_bulk: {peer:,.0f}/s"
    return [Row("index", value, "documents/s", beside, value / peer, "ratio >= 0.7")]


def _states() -> list[Enriched]:
    """Return the demonstration data as the enrichment leaves it, with vectors of no meaning."""
    with gzip.open(DATA) as lines:
        activities = [parse_line(line) for line in lines]
    some = np.random.default_rng(1).normal(size=(len(activities), 256)).astype("<f2")
    return [
        Enriched(activity=one, person=one.actor.id, text=one.object.content, vector=vector.tobytes())
        for one, vector in zip(activities, some, strict=True)
    ]


@asynccontextmanager
async def _log(kafka: str, states: Sequence[Enriched]) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(KafkaSettings(bootstrap=kafka, partitions=PARTITIONS, replication=1), f"bench-{uuid4().hex[:8]}.")
    admin = await bus.admin()
    try:
        await admin.apply(NEEDED)
        publisher, codec = await bus.publisher(), Codec("enriched")
        for first in range(0, len(states), 1_000):
            await publisher.publish(_outgoing(bus, codec, one) for one in states[first : first + 1_000])
        await publisher.stop()
        yield bus
    finally:
        await admin.stop()
        plain = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await plain.start()
        await plain.delete_topics([topic.name(bus.prefix) for topic in NEEDED])
        await plain.close()


def _outgoing(bus: KafkaBus, codec: Codec, one: Enriched) -> Outgoing:
    return Outgoing(
        topic=topics.ENRICHED.name(bus.prefix),
        key=one.activity.id,
        value=codec.encode(enriched_out(one)),
        headers=envelope.headers(one.activity),
        place=one.activity.object.id,
    )


@asynccontextmanager
async def _index(elastic: str) -> AsyncIterator[tuple[ElasticSearch, str]]:
    prefix = f"bench-{uuid4().hex[:8]}-"
    search = ElasticSearch(Client(elastic), prefix)
    await search.prepare()
    try:
        yield search, prefix
    finally:
        await search.remove_all()
        await search.stop()


async def _bare(elastic: str, documents: Sequence[Write]) -> float:
    """Return the seconds that the client's own helper takes, with requests as large as ours."""
    client = AsyncElasticsearch(elastic, request_timeout=60)
    try:
        async with _index(elastic) as (_, prefix):
            began = time.perf_counter()
            await async_bulk(
                client, _actions(prefix, documents), chunk_size=4_000, max_chunk_bytes=5 * 1024 * 1024, stats_only=True
            )
            return time.perf_counter() - began
    finally:
        await client.close()


def _actions(prefix: str, documents: Sequence[Write]) -> Iterator[dict[str, object]]:
    for one in documents:
        yield {"_index": alias(prefix, one.kind), "_id": one.id, "_source": one.document}


async def _ours(bus: KafkaBus, elastic: str, count: int) -> float:
    """Return the seconds from the first record read to the last one written and answered for."""
    async with _index(elastic) as (search, _):
        before = _answered()
        async with indexing(bus, search, group=f"{bus.prefix}{uuid4().hex[:6]}") as indexer:
            tasks = [asyncio.create_task(part) for part in indexer.parts]
            try:
                await _until_held()
                began = time.perf_counter()
                while _answered() - before < count:
                    await asyncio.sleep(0.01)
                    for task in tasks:
                        if task.done():
                            task.result()
                return time.perf_counter() - began
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _until_held() -> None:
    while metrics.BULK_HELD._value.get() == 0:  # noqa: ASYNC110 - a gauge tells nobody
        await asyncio.sleep(0.001)


def _answered() -> float:
    outcomes = ("done", "stale", "rejected")
    return float(sum(metrics.RECORDS.labels("indexer", "index", one)._value.get() for one in outcomes))
