"""Importing a file into Kafka, beside a bare aiokafka producer that sends the same bytes."""

import asyncio
import gzip
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import orjson
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from bench.table import Row
from services.common import topics
from services.common.bus import Received
from services.common.bus.kafka import KafkaBus
from services.common.settings import Settings, load
from services.ingest import app, importer

DATA = Path(__file__).parents[1] / "services" / "standalone" / "data" / "demo.jsonl.gz"
COPIES = 4
ROUNDS = 3
PARTITIONS = 4


async def measure(kafka: str, _: str) -> list[Row]:
    """Import the demonstration data several times over under other ids; the better of some rounds on both sides."""
    return await asyncio.to_thread(uvloop.run, _measured(kafka))  # as the command itself runs


async def _measured(kafka: str) -> list[Row]:
    imported, bare = [], []
    with tempfile.TemporaryDirectory(prefix="watercooler-bench-") as folder:
        file = Path(folder) / "many.jsonl"
        count = await asyncio.to_thread(_write, file)
        for _ in range(ROUNDS):
            async with _place(kafka, Path(folder)) as (bus, settings):
                imported.append(count / await _import(bus, settings, file))
                records = await _stored(bus)
            async with _place(kafka, Path(folder)) as (bus, _):
                bare.append(count / await _produce(bus, records))
    assert len(records) == count, f"{len(records)} records of {count} are in Kafka"
    ours, theirs = max(imported), max(bare)
    return [
        Row(
            "import into Kafka",
            ours,
            "activities/s",
            f"bare aiokafka producer: {theirs:,.0f}/s",
            ours / theirs,
            ">= 10000; ratio >= 0.5",
        )
    ]


def _write(file: Path) -> int:
    count = 0
    with gzip.open(DATA) as lines, file.open("wb") as out:
        given = [orjson.loads(line) for line in lines]
        for copy in range(COPIES):
            for one in given:
                thing = one["object"]
                out.write(orjson.dumps(one | {"id": f"{one['id']}+{copy}", "object": thing}) + b"\n")
                count += 1
    return count


@asynccontextmanager
async def _place(kafka: str, state: Path) -> AsyncIterator[tuple[KafkaBus, Settings]]:
    """Yield topics of our own, removed at the end."""
    prefix = f"bench-{uuid4().hex[:8]}."
    settings = load(kafka=kafka, topic_prefix=prefix, kafka_partitions=PARTITIONS, kafka_replication=1, state=state)
    bus = KafkaBus(settings.kafka_settings(), prefix)
    admin = await bus.admin()
    try:
        await admin.apply((topics.ACTIVITY, topics.ACCESS, topics.ACCOUNT, topics.CURSOR, topics.DEADLETTER))
        yield bus, settings
    finally:
        await admin.stop()
        plain = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await plain.start()
        await plain.delete_topics([name for name in await plain.list_topics() if name.startswith(prefix)])
        await plain.close()


async def _import(bus: KafkaBus, settings: Settings, file: Path) -> float:
    async with app.ground(bus, settings) as base:
        start = time.perf_counter()
        await importer.import_file(str(file), "bench", base.intake, base.cursors)
        return time.perf_counter() - start


async def _stored(bus: KafkaBus) -> list[Received]:
    reader = await bus.reader()
    try:
        bounds = await reader.bounds(topics.ACTIVITY.name(bus.prefix))
        await reader.start_at({partition: first for partition, (first, _) in bounds.items()})
        wanted = sum(end - first for first, end in bounds.values())
        found: list[Received] = []
        while len(found) < wanted:
            found += await reader.poll(limit=5_000, wait=1)
        return found
    finally:
        await reader.stop()


async def _produce(bus: KafkaBus, records: Sequence[Received]) -> float:
    """Send what the import has stored, with the same promises (idempotent, acknowledged by all), placed by its key."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bus.settings.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=262_144,
        compression_type="lz4",
    )
    await producer.start()
    topic = topics.ACTIVITY.name(bus.prefix)
    start = time.perf_counter()
    sent = [
        await producer.send(
            topic,
            record.value,
            key=record.key.encode(),
            headers=list(record.headers.items()),
        )
        for record in records
    ]
    await asyncio.gather(*sent)
    spent = time.perf_counter() - start
    await producer.stop()
    return spent
