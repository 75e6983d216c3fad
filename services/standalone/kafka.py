"""One real Kafka broker, its own controller (KRaft), with its data in a folder."""

import asyncio
import base64
import uuid
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.common.errors import Stop
from services.standalone import jvm, ports
from services.standalone.java import Java
from services.standalone.process import Server

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=8
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=33554432
"""


def properties(data: Path, port: int, controller: int) -> str:
    """The broker's settings: loopback only, every internal topic with one replica, topics created on purpose only."""
    return _PROPERTIES.format(host=ports.HOST, port=port, controller=controller, data=data)


async def start(state: Path, port: int, java: Java, home: Path, *, heap: str = "512m") -> Server:
    """Start the Kafka of `home` on a loopback port with its data under `state`/kafka, and return once it answers.

    Stop when the port is taken, when the folder is in use, or when it does not come up.
    """
    folder = state / "kafka"
    data = folder / "data"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    ports.require(port, "Kafka", "WATERCOOLER_KAFKA_PORT")
    settings = folder / "server.properties"
    settings.write_text(properties(data, port, ports.free()))
    jvm.write_logging(folder / "log4j2.properties", folder / "kafka.log")
    # Loaded classes are kept in a file that Java makes at its first end: half the time to start.
    archive = home / f"classes-{java.release}.jsa"
    options = [f"-Xmx{heap}", *jvm.QUICK_START, f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"]
    options += ["-cp", str(home / "libs" / "*")]
    if not (data / "meta.properties").exists():
        await _format([java.program, *options], settings)
    options += ["-XX:+AutoCreateSharedArchive", f"-XX:SharedArchiveFile={archive}"]
    server = Server("Kafka", port, [java.program, *options, "kafka.Kafka", str(settings)], folder)
    await server.ready(lambda: answers(server))
    return server


async def answers(server: Server) -> bool:
    """True when the broker tells of itself to a client."""
    if not ports.open_at(server.port):
        return False
    client = AIOKafkaClient(bootstrap_servers=server.bootstrap)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


def cluster_id() -> str:
    """A new identity as Kafka writes it. One that began with a dash would be taken for an option."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return made


async def _format(java: list[str], settings: Path) -> None:
    """Give the empty data folder its identity, once."""
    cluster = cluster_id()
    process = await asyncio.create_subprocess_exec(
        *java,
        "kafka.tools.StorageTool",
        *("format", "--cluster-id", cluster, "--config", str(settings)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise Stop(f"Kafka's data folder could not be made: {output.decode(errors='replace').strip()}")
