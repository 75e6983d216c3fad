"""The peer that also reads Kafka: kafka-sse from npm, behind Wikimedia's EventStreams. One consumer a client.

It builds librdkafka when it is installed (some minutes, with gcc, make and python3), so it is not installed by itself:
`npm install --prefix FOLDER kafka-sse@0.4.2`, and WATERCOOLER_KAFKA_SSE=FOLDER names it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ
from pathlib import Path
from shutil import which

from aiohttp import ClientSession
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.fixtures.stack import eventually, free_port

TOPIC = "bench-kafka-sse"
PARTITIONS = 4
_SERVER = Path(__file__).with_name("kafka_sse.js")


def folder() -> Path | None:
    """Return where it is installed; None where it is not."""
    named = environ.get("WATERCOOLER_KAFKA_SSE")
    found = Path(named).absolute() if named else None
    return found if found and which("node") and (found / "node_modules" / "kafka-sse").is_dir() else None


@asynccontextmanager
async def kafka_sse(where: Path, broker: str) -> AsyncIterator[tuple[int, int]]:
    """Run it over a topic of its own; yields its port and its process id."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    port = free_port()
    process = await asyncio.create_subprocess_exec("node", str(_SERVER), str(where), broker, TOPIC, str(port))
    try:
        await eventually(lambda: _listens(port), what="kafka-sse runs", within=30)
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()
        await admin.delete_topics([TOPIC])
        await admin.close()


async def _listens(port: int) -> bool:
    try:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as answer:
            return answer.status == 200
    except OSError:
        return False


async def publish(producer: AIOKafkaProducer, texts: list[bytes]) -> None:
    """Publish messages, spread over the partitions as they come."""
    for text in texts:
        await producer.send(TOPIC, text)
    await producer.flush()
