"""confluent-kafka's own deserializer reads every topic through our registry."""

import asyncio
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro.utils import generate_one

from services.common import schemas
from services.common.codec import Codec
from services.common.topics import TOPICS, Topic
from tests.unit.gateway.world import world

pytestmark = pytest.mark.integration


def read(url: str, topic: str, value: bytes) -> Any:
    with SchemaRegistryClient({"url": url}) as client:
        deserialize = AvroDeserializer(client)
        return deserialize(value, SerializationContext(topic, MessageField.VALUE))


@pytest.mark.parametrize("topic", TOPICS, ids=[topic.suffix for topic in TOPICS])
async def test_a_record_is_read(topic: Topic) -> None:
    record = generate_one(schemas.parsed(schemas.newest(topic.schema)))
    value = Codec(topic.schema).encode(record)
    async with world() as w:
        url = str(w.client.make_url("/registry"))
        found = await asyncio.to_thread(read, url, topic.name("t."), value)
    assert found.keys() == record.keys()


async def test_a_client_finds_subjects_versions_and_rules() -> None:
    async with world() as w:
        url = str(w.client.make_url("/registry"))

        def look() -> tuple[list[str], Any, list[int]]:
            with SchemaRegistryClient({"url": url}) as client:
                subjects = client.get_subjects()
                name = "t.enriched.v1-value"
                return subjects, client.get_latest_version(name), client.get_versions(name)

        subjects, latest, versions = await asyncio.to_thread(look)
    assert len(subjects) == len(TOPICS)
    assert (latest.schema_id, latest.version) == (schemas.schema_id("enriched/v1"), versions[-1])
