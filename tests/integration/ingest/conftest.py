"""An ingest of one's own on real Kafka: its topics, its process, and what it has stored."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.common.bus import Received
from services.common.bus.kafka import KafkaBus
from services.common.codec import Codec
from services.common.settings import Settings, load
from services.common.topics import ACCESS, ACCOUNT, ACTIVITY, CURSOR, DEADLETTER, Topic
from tests.fixtures.stack import Stack, environment

TOPICS = (ACTIVITY, ACCESS, ACCOUNT, CURSOR, DEADLETTER)


class Log:
    """What ingest has stored so far."""

    def __init__(self, bus: KafkaBus, settings: Settings) -> None:
        self.bus = bus
        self.settings = settings

    async def records(self, topic: Topic) -> list[Received]:
        """Return all records of a topic, each partition in order."""
        reader = await self.bus.reader()
        try:
            bounds = await reader.bounds(topic.name(self.bus.prefix))
            await reader.start_at({partition: first for partition, (first, _) in bounds.items()})
            wanted = sum(end - first for first, end in bounds.values())
            found: list[Received] = []
            while len(found) < wanted:
                found += await reader.poll(limit=5_000, wait=0.5)
            return found
        finally:
            await reader.stop()

    async def values(self, topic: Topic) -> list[dict[str, Any]]:
        """Return the decoded records of a topic."""
        codec = Codec(topic.schema)
        return [codec.decode(record.value) for record in await self.records(topic) if record.value is not None]

    async def ids(self) -> list[str]:
        """Return the ids of the activities, repetitions included."""
        return [record.key for record in await self.records(ACTIVITY)]


@pytest.fixture
async def log(kafka: str, tmp_path: Path) -> AsyncIterator[Log]:
    """Topics of the test's own, removed after it."""
    environ, _ = environment(kafka, "http://127.0.0.1:9", tmp_path)
    prefix = environ["WATERCOOLER_TOPIC_PREFIX"]
    settings = load(kafka=kafka, topic_prefix=prefix, kafka_partitions=4, kafka_replication=1, state=tmp_path / "state")
    bus = KafkaBus(settings.kafka_settings(), prefix)
    admin = await bus.admin()
    await admin.apply(TOPICS)
    await admin.stop()
    yield Log(bus, settings)
    plain = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await plain.start()
    await plain.delete_topics([name for name in await plain.list_topics() if name.startswith(prefix)])
    await plain.close()


@pytest.fixture
def stack(log: Log, kafka: str, tmp_path: Path) -> Iterator[Stack]:
    """Commands and services as processes over the topics of ``log``."""
    environ, ports = environment(kafka, "http://127.0.0.1:9", tmp_path)
    one = Stack(tmp_path, environ | {"WATERCOOLER_TOPIC_PREFIX": log.bus.prefix}, ports)
    yield one
    one.stop()


async def quiet(log: Log, seconds: float = 1.0) -> list[str]:
    """Wait until no more activities come; returns their ids."""
    before: list[str] = []
    while (now := await log.ids()) != before or not now:
        before = now
        await asyncio.sleep(seconds)
    return now
