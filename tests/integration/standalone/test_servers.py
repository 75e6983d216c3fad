"""Both real servers: started, killed, stopped and found again with their data; never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from elasticsearch import AsyncElasticsearch

from services.common.errors import Stop
from services.standalone.servers import start_kafka
from tests.fixtures.kafka_elastic import Factory

pytestmark = pytest.mark.integration


async def write(bootstrap: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    for value in values:
        await producer.send_and_wait("talk", value, partition=0)
    await producer.stop()


async def read(bootstrap: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("talk", 0)])
    try:
        return [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_kafka_keeps_what_was_acknowledged_over_a_kill_and_a_stop(breakable_kafka: Factory) -> None:
    kafka = await breakable_kafka()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("talk", 1, 1)])
    await admin.close()
    await write(kafka.bootstrap, b"before the crash")

    kafka.kill()
    await kafka.start()
    await write(kafka.bootstrap, b"before the stop")
    await kafka.stop()
    await kafka.start()

    assert await read(kafka.bootstrap, 2) == [b"before the crash", b"before the stop"]


async def test_elasticsearch_keeps_what_was_acknowledged_over_a_kill_and_a_stop(breakable_elastic: Factory) -> None:
    elastic = await breakable_elastic()
    async with AsyncElasticsearch(elastic.url) as client:
        assert (await client.info())["version"]["number"] == "9.4.3"
        await client.index(index="talk", id="1", document={"text": "before the crash"})
    elastic.kill()
    await elastic.start()
    async with AsyncElasticsearch(elastic.url) as client:
        await client.index(index="talk", id="2", document={"text": "before the stop"})
    await elastic.stop()
    await elastic.start()

    async with AsyncElasticsearch(elastic.url) as client:
        await client.indices.refresh(index="talk")
        found = await client.search(index="talk", query={"match": {"text": "before"}})
    assert sorted(hit["_id"] for hit in found["hits"]["hits"]) == ["1", "2"]


async def test_a_busy_port_is_said_in_one_sentence(breakable_kafka: Factory, tmp_path: Path) -> None:
    kafka = await breakable_kafka()
    with pytest.raises(Stop, match=rf"Port {kafka.port} for Kafka is used by another program.*WATERCOOLER_KAFKA_PORT"):
        await start_kafka(tmp_path / "second", kafka.port)


async def test_a_folder_in_use_is_refused_by_kafka_and_its_reason_shown(
    breakable_kafka: Factory, tmp_path: Path
) -> None:
    await breakable_kafka()
    with pytest.raises(Stop, match=r"Kafka ended while starting: .*lock"):
        await start_kafka(tmp_path / "kafka" / "0", 0)


_PARENT = """
import asyncio, sys, time
from pathlib import Path
from services.standalone import ports
from services.standalone.servers import start_elasticsearch, start_kafka

async def main() -> None:
    kafka = await start_kafka(Path(sys.argv[1]), ports.free())
    elastic = await start_elasticsearch(Path(sys.argv[1]), ports.free())
    print(kafka.pid, elastic.pid, flush=True)
    time.sleep(600)

asyncio.run(main())
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b"\nState:\tZ" not in Path(f"/proc/{pid}/status").read_bytes()


def test_a_killed_parent_leaves_no_server_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        parent.send_signal(signal.SIGKILL)
    for _ in range(100):
        if not any(alive(pid) for pid in pids):
            return
        time.sleep(0.1)
    pytest.fail(f"still running: {[pid for pid in pids if alive(pid)]}")
