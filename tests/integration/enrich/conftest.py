"""Topics under a prefix of the test's own, activities in them, and the services as processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from services.common import envelope, topics
from services.common.bus import Outgoing, Partition, Received
from services.common.bus.kafka import KafkaBus
from services.common.bus.kafka_settings import KafkaSettings
from services.common.codec import Codec
from services.common.model import (
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Object,
    Provenance,
    Visibility,
)
from services.common.records import access_out, activity_in, activity_out, enriched_in
from services.common.topics import Topic
from services.enrich.scan import scan
from tests.fixtures.stack import free_port

ROOM = Container(id="chat:room", type="Channel", name="room")
START = datetime(2026, 1, 1, tzinfo=UTC)
_activities, _enriched, _access = Codec("activity"), Codec("enriched"), Codec("access")


def activity(number: int, text: str = "", *, object_id: str = "", by: str = "ann", seconds: int = 0) -> Activity:
    """Return a chat message."""
    return Activity(
        id=f"chat:{number}#chat.message",
        type=ActivityType.CREATE,
        verb="chat.message",
        published=START + timedelta(seconds=seconds or number),
        recorded=START,
        actor=Account(id=f"chat:{by}", name=by, handle=by),
        object=Object(id=object_id or f"chat:{number}", type="Note", content=text or f"message number {number}"),
        context=(ROOM,),
        audience=Audience(visibility=Visibility.PUBLIC, container=ROOM.id),
        provenance=Provenance(source="chat"),
    )


@dataclass
class Place:
    """A prefix with its topics. ``start`` runs a service as a process until the end of the test."""

    kafka: str
    folder: Path
    partitions: int = 2
    prefix: str = field(default_factory=lambda: f"t{uuid4().hex[:8]}.")
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = KafkaSettings(bootstrap=self.kafka, partitions=self.partitions, replication=1)
        self.bus = KafkaBus(settings, self.prefix)

    async def apply(self) -> None:
        """Make the topics."""
        admin = await self.bus.admin()
        await admin.apply(topics.TOPICS)
        await admin.stop()

    async def delete(self) -> None:
        """Delete everything under the prefix."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await client.start()
        await client.delete_topics([name for name in await client.list_topics() if name.startswith(self.prefix)])
        await client.close()

    def start(self, service: str, name: str = "", **environ: str) -> str:
        """Start a service; returns the name by which the test ends it."""
        name = name or service
        self.ports[name] = free_port()
        ours = {key: value for key, value in os.environ.items() if not key.startswith("WATERCOOLER_")}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "services", service],
                cwd=self.folder,
                stderr=log,
                env={
                    **ours,
                    "PYTHONPATH": str(Path(__file__).parents[3]),
                    "WATERCOOLER_KAFKA": self.kafka,
                    "WATERCOOLER_KAFKA_PARTITIONS": str(self.partitions),
                    "WATERCOOLER_KAFKA_REPLICATION": "1",
                    "WATERCOOLER_KAFKA_SESSION_SECONDS": "6",
                    "WATERCOOLER_TOPIC_PREFIX": self.prefix,
                    "WATERCOOLER_STATE": str(self.folder / "state"),
                    "WATERCOOLER_RECOMMENDATIONS_HELD_OUT": "0",
                    f"WATERCOOLER_{service.upper()}_PORT": str(self.ports[name]),
                    **environ,
                },
            )
        return name

    async def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """End a service; returns its exit code."""
        process = self.processes.pop(name)
        process.send_signal(how)
        return await asyncio.to_thread(process.wait, 60)

    async def clear(self) -> None:
        """End what still runs, and delete everything."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        await self.delete()

    def log(self, name: str) -> str:
        """Return what a service has written."""
        return (self.folder / f"{name}.log").read_text()

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Store records."""
        publisher = await self.bus.publisher()
        await publisher.publish(records)
        await publisher.stop()

    async def put(self, *activities: Activity) -> None:
        """Store activities as ingest does."""
        await self.publish(self.outgoing(one) for one in activities)

    def outgoing(self, one: Activity) -> Outgoing:
        """Return an activity as ingest publishes it."""
        return Outgoing(
            topic=topics.ACTIVITY.name(self.prefix),
            key=one.id,
            value=_activities.encode(activity_out(one)),
            headers=(*envelope.headers(one), (envelope.FINGERPRINT, envelope.fingerprint(one).encode())),
            place=one.object.id,
        )

    async def open(self, container: str = ROOM.id, visibility: Visibility = Visibility.PUBLIC) -> None:
        """Say who may open a container."""
        await self.access(Access(id=container, kind=AccessKind.CONTAINER, visibility=visibility, recorded=START))

    async def access(self, record: Access) -> None:
        """Store an access record."""
        value = _access.encode(access_out(record))
        await self.publish([Outgoing(topic=topics.ACCESS.name(self.prefix), key=record.id, value=value)])

    async def records(self, topic: Topic) -> list[Received]:
        """Return all committed records of a topic."""
        reader = await self.bus.reader()
        bounds = await reader.bounds(topic.name(self.prefix))
        found = [record for p, (_, end) in bounds.items() async for record in scan(reader, p, end)]
        await reader.stop()
        return found

    async def enriched(self) -> list[Enriched]:
        """Return what a fresh reader of committed records finds in enriched.v1."""
        return [as_enriched(one) for one in await self.records(topics.ENRICHED)]

    async def public(self) -> list[Activity]:
        """Return what another team finds."""
        return [activity_in(_activities.decode(one.value or b"")) for one in await self.records(topics.PUBLIC)]

    async def committed(self, group: str, topic: Topic) -> Mapping[Partition, int]:
        """Return a group's offsets; -1 where there is none, nothing while Kafka has yet to make room for groups."""
        client = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await client.start()
        try:
            offsets = await client.list_consumer_group_offsets(self.prefix + group)
        except GroupCoordinatorNotAvailableError:
            return {}
        finally:
            await client.close()
        return {Partition(p.topic, p.partition): o.offset for p, o in offsets.items() if p.topic.endswith(topic.suffix)}


def as_enriched(record: Received) -> Enriched:
    """Return the enriched activity in a record."""
    return enriched_in(_enriched.decode(record.value or b""))


@pytest.fixture
async def place(kafka: str, tmp_path: Path) -> AsyncIterator[Place]:
    """A place of the test's own, with an open room."""
    one = Place(kafka, tmp_path)
    await one.apply()
    await one.open()
    try:
        yield one
    finally:
        await one.clear()
