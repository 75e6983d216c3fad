"""A log and an index of the test's own on the real servers; deleted afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from services.common.topics import TOPICS


@dataclass
class Servers:
    """Where the test's own topics and indices are."""

    bus: KafkaBus
    search: ElasticSearch


@pytest.fixture
def bootstrap(kafka: str) -> str:
    """Where Kafka is. Not async, since the server's own fixture runs a loop."""
    return kafka


@pytest.fixture
def url(elastic: str) -> str:
    """Where Elasticsearch is; not async either."""
    return elastic


@asynccontextmanager
async def fresh(bootstrap: str, url: str) -> AsyncIterator[Servers]:
    """Make topics and indices under a prefix of their own; they are gone afterwards."""
    mark = uuid4().hex[:8]
    bus = KafkaBus(KafkaSettings(bootstrap=bootstrap, partitions=3, replication=1), f"t{mark}.")
    admin = await bus.admin()
    await admin.apply(TOPICS)
    await admin.stop()
    search = ElasticSearch(Client(url), f"t{mark}-")
    await search.prepare()
    try:
        yield Servers(bus, search)
    finally:
        await search.remove_all()
        await search.stop()
        client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await client.start()
        await client.delete_topics([topic.name(bus.prefix) for topic in TOPICS])
        await client.close()


@pytest.fixture
async def servers(bootstrap: str, url: str) -> AsyncIterator[Servers]:
    """Topics and indices under a prefix of the test's own."""
    async with fresh(bootstrap, url) as made:
        yield made
