"""Reading topics that are written in transactions: markers and aborted records have offsets, and are never given."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from services.common import topics
from services.common.bus import Partition
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.view import View

pytestmark = pytest.mark.integration


async def test_a_view_comes_to_the_end_past_markers_and_aborted_records(kafka: str) -> None:
    bus = KafkaBus(KafkaSettings(bootstrap=kafka, partitions=2, replication=1), f"x{uuid4().hex[:8]}.")
    admin = await bus.admin()
    await admin.apply([topics.ENRICHED])
    name = topics.ENRICHED.name(bus.prefix)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{bus.prefix}t")
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(name, b"1", key=b"kept1", partition=0)
    await producer.begin_transaction()
    await producer.send_and_wait(name, b"2", key=b"aborted", partition=0)
    await producer.abort_transaction()
    async with producer.transaction():
        await producer.send_and_wait(name, b"3", key=b"kept2", partition=0)
    await producer.begin_transaction()
    await producer.send_and_wait(name, b"4", key=b"aborted", partition=0)
    await producer.abort_transaction()
    await producer.stop()
    seen: list[str] = []
    view = View(bus, name, lambda record: seen.append(record.key))
    await view.load()
    assert seen == ["kept1", "kept2"]
    await view.stop()
    reader = await bus.reader()
    assert (await reader.bounds(name))[Partition(name, 0)] == (0, 8)
    await reader.stop()
    await admin._admin.delete_topics([name])
    await admin.stop()
