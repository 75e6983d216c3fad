"""What other teams and operators see with tools that are not ours: Confluent's deserializer, kcat, Kafka's commands."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from services.common.schemas import FIRST_ID
from services.common.topics import ACCESS, ACTIVITY, CURSOR, DEADLETTER, ENRICHED, PROFILE, PUBLIC, TOPICS, Topic
from services.standalone.install import prepare
from tests.e2e.load import write
from tests.fixtures.process import require_programs
from tests.fixtures.stack import Stack, environment, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SAMPLE = Path(__file__).parents[2] / "docs" / "consume_example.py"
COUNT = 200
GROUPS = ("enrich", "redact", "retract", "correct", "score", "indexer")


@pytest.fixture(scope="module")
def filled(kafka: str, elastic: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole stack through which two hundred activities and one bad record have gone; all tests here only read it."""
    folder = tmp_path_factory.mktemp("consumers")
    environ, ports = environment(kafka, elastic, folder)
    stack = Stack(folder, environ, ports)
    # A loop of its own that is never the current one, so that the tests' loops do not notice.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(fill(stack))
        yield stack
    finally:
        stack.stop()
        loop.close()


async def fill(stack: Stack) -> None:
    await asyncio.to_thread(stack.run, "topics", "apply")
    stack.start("enrich", "score", "index", "gateway")
    await stack.ready()
    path = write(stack.folder / "some.jsonl.gz", COUNT)
    await asyncio.to_thread(stack.run, "import", str(path))
    await asyncio.to_thread(spoil, stack)
    for topic, least in ((PUBLIC, COUNT), (PROFILE, 1), (DEADLETTER, 1)):
        await eventually(
            partial(holds, stack, topic, least), what=f"{topic.suffix} holds {least}", stack=stack, pause=1
        )


def holds(stack: Stack, topic: Topic, least: int) -> bool:
    return len(raw(stack, topic.name(stack.prefix))) >= least


def spoil(stack: Stack) -> None:
    """Put a record that no one can read into the first topic, so that the dead letters hold one."""
    command = ["kcat", "-P", "-b", stack.environ["WATERCOOLER_KAFKA"], "-t", ACTIVITY.name(stack.prefix), "-k", "bad"]
    require_programs("kcat", package="kcat")
    subprocess.run(command, input=b"not Avro", check=True, timeout=30)


def raw(stack: Stack, topic: str) -> list[tuple[str, bytes | None, dict[str, bytes]]]:
    """Read a topic from its beginning to its end, read committed, with Confluent's client."""
    settings = {"group.id": "unused", "enable.partition.eof": True, "isolation.level": "read_committed"}
    consumer = Consumer({"bootstrap.servers": stack.environ["WATERCOOLER_KAFKA"], **settings})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        return list(_records(consumer, len(partitions)))
    finally:
        consumer.close()


def _records(consumer: Any, open_partitions: int) -> Iterator[tuple[str, bytes | None, dict[str, bytes]]]:
    while open_partitions:
        record = consumer.poll(20)
        assert record is not None, "nothing came for 20 s"
        if record.error() is None:
            yield record.key().decode(), record.value(), dict(record.headers() or [])
            continue
        assert record.error().code() == KafkaError._PARTITION_EOF, record.error()
        open_partitions -= 1


async def test_the_avro_deserializer_reads_every_topic_through_the_registry(filled: Stack) -> None:
    read = await asyncio.to_thread(deserialize_everything, filled)
    wanted = (ACTIVITY, ENRICHED, PUBLIC, ACCESS, PROFILE, DEADLETTER)
    assert {topic.suffix for topic in wanted} <= {suffix for suffix, count in read.items() if count}
    assert read[PUBLIC.suffix] >= COUNT


def deserialize_everything(stack: Stack) -> dict[str, int]:
    """Read all records of all topics as Confluent's users do; returns how many each topic held."""
    read: dict[str, int] = {}
    with SchemaRegistryClient({"url": f"{stack.url()}/registry"}) as registry:
        deserialize = AvroDeserializer(registry)
        for topic in TOPICS:
            name = topic.name(stack.prefix)
            values = [value for _, value, _ in raw(stack, name) if value not in (None, b"not Avro")]
            records = [deserialize(value, SerializationContext(name, MessageField.VALUE)) for value in values]
            assert all(isinstance(record, dict) and record for record in records), name
            read[topic.suffix] = len(records)
    return read


def test_the_registry_knows_each_subject(filled: Stack) -> None:
    with SchemaRegistryClient({"url": f"{filled.url()}/registry"}) as registry:
        for topic in TOPICS:
            latest = registry.get_latest_version(f"{topic.name(filled.prefix)}-value")
            assert latest.schema.schema_type == "AVRO"
            assert latest.schema_id is not None
            assert latest.schema_id >= FIRST_ID


async def test_the_sample_consumer_prints_what_is_public(filled: Stack) -> None:
    lines = [line for line in SAMPLE.read_text().splitlines() if line.strip()]
    assert len(lines) <= 20, "docs promise twenty lines"
    topic, group = PUBLIC.name(filled.prefix), f"{filled.prefix}our-team"
    environ = {
        **os.environ,
        "TOPIC": topic,
        "GROUP": group,
        "KAFKA": filled.environ["WATERCOOLER_KAFKA"],
        "REGISTRY": f"{filled.url()}/registry",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SAMPLE), env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = [(await process.stdout.readline()).decode() for _ in range(COUNT)]
    finally:
        process.kill()
        await process.wait()
    assert {re.match(r"chat\.message (load:note:\d+) Person \d+", line) is not None for line in said} == {True}, said[
        :3
    ]
    assert {line.split()[1] for line in said} == {f"load:note:{number}" for number in range(COUNT)}


async def kcat(stack: Stack, *arguments: str) -> str:
    """Run kcat to its end; returns what it printed."""
    require_programs("kcat", package="kcat")
    process = await asyncio.create_subprocess_exec(
        *("kcat", "-b", stack.environ["WATERCOOLER_KAFKA"], *arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return out.decode(errors="replace")


async def test_kcat_lists_the_topics_and_shows_keys_and_headers(filled: Stack) -> None:
    listed = await kcat(filled, "-L")
    for topic in TOPICS:
        assert f'topic "{topic.name(filled.prefix)}" with 4 partitions' in listed
    shown = await kcat(filled, "-C", "-e", "-q", "-t", ENRICHED.name(filled.prefix), "-f", "%k\t%h\n")
    key, _, headers = next(line for line in shown.splitlines() if line.startswith("load:chat:7\t")).partition("\t")
    said = dict(one.split("=", 1) for one in headers.split(","))
    assert key == said["ce_id"] == "load:chat:7"
    assert said["ce_specversion"] == "1.0"
    assert said["ce_source"] == "/sources/load"
    assert said["ce_type"] == "watercooler.chat.message"
    assert said["ce_subject"] == "load:note:7"
    assert said["ce_time"] == "2026-01-01T00:00:07Z"
    assert said["content-type"] == "application/avro"


async def test_topics_tail_prints_readable_records(filled: Stack) -> None:
    said = await asyncio.to_thread(filled.run, "topics", "tail", PUBLIC.suffix, "-n", "5")
    assert "load:note:" in said
    assert "chat.message" in said
    assert "PUBLIC" in said


async def kafka_command(name: str, *arguments: str) -> str:
    """Run one of Kafka's own commands with the Java and the jars of standalone."""
    have = await prepare()
    process = await asyncio.create_subprocess_exec(
        *(str(have.java.program), "-cp", str(have.kafka / "libs" / "*"), name, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode()[-2000:]
    return out.decode()


async def test_kafkas_own_tools_show_groups_and_lag_by_readable_names(filled: Stack) -> None:
    command = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
    server = ("--bootstrap-server", filled.environ["WATERCOOLER_KAFKA"])
    listed = (await kafka_command(command, *server, "--list")).split()
    assert {f"{filled.prefix}{group}" for group in GROUPS} <= set(listed)

    async def caught_up() -> bool:
        said = await kafka_command(command, *server, "--describe", "--group", f"{filled.prefix}enrich")
        rows = [line.split() for line in said.splitlines() if ACTIVITY.name(filled.prefix) in line]
        # GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG ...
        assert len(rows) == 4
        return all(row[5] == "0" for row in rows)

    await eventually(caught_up, what="enrich has no lag", stack=filled, within=60)


async def test_the_names_of_topics_are_those_of_the_table(filled: Stack) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=filled.environ["WATERCOOLER_KAFKA"])
    await admin.start()
    names = {name for name in await admin.list_topics() if name.startswith(filled.prefix)}
    await admin.close()
    ours = {topic.name(filled.prefix) for topic in TOPICS}
    assert ours <= names
    assert all(name.startswith(f"{filled.prefix}score-") for name in names - ours), names - ours
    assert CURSOR.name(filled.prefix) in names
