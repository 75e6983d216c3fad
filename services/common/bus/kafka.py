"""The log on Kafka, by aiokafka. Each part of the port is a thin cover over one aiokafka client."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ssl import SSLContext, create_default_context
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import murmur2

from services.common.bus import OnPartitions, Outgoing, Partition, Received, Unpublished
from services.common.bus.kafka_admin import KafkaAdmin
from services.common.errors import Reject, Retry, Stop, WatercoolerError

_MAX_REQUEST = 1_048_576 * 4
"""Bytes of one produce request; a single record is bound by the topic's max.message.bytes (1 MiB by default)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Where Kafka is and how to speak to it. ``password`` and paths never reach a log."""

    bootstrap: str
    security: str = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    partitions: int = 12
    replication: int = 3
    client_id: str = "watercooler"

    def client(self) -> dict[str, Any]:
        """Return the arguments that every aiokafka client takes."""
        common: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "security_protocol": self.security,
            "ssl_context": self._ssl(),
        }
        if self.security.startswith("SASL"):
            common |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return common

    def _ssl(self) -> SSLContext | None:
        return create_default_context(cafile=self.ca_file or None) if self.security.endswith("SSL") else None


def partition_of(place: str, partitions: int) -> int:
    """Return the partition that Java's default partitioner chooses for this key (murmur2, Apache Kafka's Utils)."""
    return int(murmur2(place.encode()) & 0x7FFFFFFF) % partitions


def as_error(error: BaseException, record: Outgoing) -> WatercoolerError:
    """Return what an error of a send means for its record."""
    where = f"topic {record.topic}"
    if isinstance(error, MessageSizeTooLargeError | RecordTooLargeError):
        return Reject(f"{where}: the record of {len(record.value or b'')} bytes is larger than the topic takes")
    if isinstance(error, TopicAuthorizationFailedError | ClusterAuthorizationFailedError):
        return Stop(f"{where}: Kafka does not let us write; grant it (see `watercooler topics acl`)")
    return Retry(f"{where}: Kafka did not store the record ({type(error).__name__})")


class KafkaPublisher:
    """Publisher over one idempotent producer."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Return once all are stored; raise Unpublished for those that were not."""
        waiting: list[tuple[Outgoing, asyncio.Future[Any]]] = []
        failures: list[tuple[Outgoing, WatercoolerError]] = []
        for record in records:
            try:
                waiting.append((record, await self._send(record)))
            except KafkaError as error:
                failures.append((record, as_error(error, record)))
        for record, future in waiting:
            try:
                await future
            except KafkaError as error:
                failures.append((record, as_error(error, record)))
        if failures:
            raise Unpublished(failures)

    async def _send(self, record: Outgoing) -> asyncio.Future[Any]:
        partition = record.partition
        if partition is None:
            partitions = await self._producer.partitions_for(record.topic)
            partition = partition_of(record.key if record.place is None else record.place, len(partitions))
        future: asyncio.Future[Any] = await self._producer.send(
            record.topic,
            record.value,
            key=record.key.encode(),
            partition=partition,
            headers=list(record.headers),
        )
        return future

    async def stop(self) -> None:
        """Send what is buffered and close."""
        await self._producer.stop()


def received(record: Any) -> Received:
    """Return aiokafka's record as ours."""
    return Received(
        partition=Partition(record.topic, record.partition),
        offset=record.offset,
        key=(record.key or b"").decode(errors="replace"),
        value=record.value,
        headers=dict(record.headers),
        timestamp=record.timestamp,
    )


async def _poll(consumer: AIOKafkaConsumer, limit: int, wait: float) -> list[Received]:
    batches = await consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
    return [received(record) for batch in batches.values() for record in batch]


def _ours(partitions: Iterable[TopicPartition]) -> frozenset[Partition]:
    return frozenset(Partition(p.topic, p.partition) for p in partitions)


def _theirs(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, assigned: OnPartitions | None, revoked: OnPartitions | None) -> None:
        self._assigned, self._revoked = assigned, revoked

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        if self._assigned:
            await self._assigned(_ours(assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        if self._revoked:
            await self._revoked(_ours(revoked))


class KafkaConsumer:
    """Consumer over one aiokafka group member."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """Return up to ``limit`` records, waiting up to ``wait`` seconds for one."""
        return await _poll(self._consumer, limit, wait)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Give no records of these until resumed."""
        self._consumer.pause(*map(_theirs, partitions))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Give records of these again."""
        self._consumer.resume(*map(_theirs, partitions))

    def rewind(self, partition: Partition, offset: int) -> None:
        """Give the records from ``offset`` on again."""
        self._consumer.seek(_theirs(partition), offset)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the offset of the next record to read; raise Retry when the group has moved on without us."""
        try:
            await self._consumer.commit({_theirs(p): offset for p, offset in offsets.items()})
        except KafkaError as error:
            raise Retry(f"Kafka did not store the offsets of {self._consumer.subscription()}: {error!r}") from error

    def assignment(self) -> frozenset[Partition]:
        """Return the partitions that this member has now."""
        return _ours(self._consumer.assignment())

    async def lag(self) -> Mapping[Partition, int]:
        """Return per assigned partition how many records lie between the position and the end."""
        mine = self._consumer.assignment()
        ends = await self._consumer.end_offsets(mine) if mine else {}
        positions = {p: await self._consumer.position(p) for p in ends}
        return {Partition(p.topic, p.partition): max(0, end - positions[p]) for p, end in ends.items()}

    async def stop(self) -> None:
        """Leave the group at once."""
        await self._consumer.stop()


class KafkaReader:
    """Reader over one aiokafka consumer without a group."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def start_at(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets on."""
        self._consumer.assign([_theirs(p) for p in offsets])
        for partition, offset in offsets.items():
            self._consumer.seek(_theirs(partition), offset)

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """As Consumer.poll."""
        return await _poll(self._consumer, limit, wait)

    async def position(self, partition: Partition) -> int:
        """Return the offset of the next record to be given."""
        return int(await self._consumer.position(_theirs(partition)))

    async def _all(self, topic: str) -> list[TopicPartition]:
        # A client of its own asks for topics it does not read only when it refreshes what it knows of the cluster.
        cluster = await self._consumer._client.fetch_all_metadata()
        known = cluster.partitions_for_topic(topic)
        if not known:
            raise Retry(f"Kafka has no topic {topic}; create it with `watercooler topics apply`")
        return [TopicPartition(topic, number) for number in sorted(known)]

    async def bounds(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """Return per partition the first offset kept and the end."""
        partitions = await self._all(topic)
        first = await self._consumer.beginning_offsets(partitions)
        last = await self._consumer.end_offsets(partitions)
        return {Partition(p.topic, p.partition): (first[p], last[p]) for p in partitions}

    async def offsets_at(self, topic: str, timestamp: int) -> Mapping[Partition, int]:
        """Return per partition the first offset stored at or after ``timestamp`` (ms); the end where there is none."""
        partitions = await self._all(topic)
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, timestamp))
        ends = await self._consumer.end_offsets(partitions)
        return {Partition(p.topic, p.partition): found[p].offset if found[p] else ends[p] for p in partitions}

    async def stop(self) -> None:
        """Close."""
        await self._consumer.stop()


class KafkaBus:
    """The log on Kafka."""

    def __init__(self, settings: KafkaSettings, prefix: str) -> None:
        self._settings = settings
        self.prefix = prefix

    async def publisher(self) -> KafkaPublisher:
        """Return a started, idempotent publisher (``acks=all``)."""
        producer = AIOKafkaProducer(
            **self._settings.client(),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_batch_size=262_144,
            max_request_size=_MAX_REQUEST,
            compression_type="lz4",
            request_timeout_ms=30_000,
        )
        await _start(producer, self._settings.bootstrap)
        return KafkaPublisher(producer)

    async def consumer(
        self,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
    ) -> KafkaConsumer:
        """Return a started member of ``group``."""
        consumer = AIOKafkaConsumer(
            **self._settings.client(),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=15_000,
            heartbeat_interval_ms=3_000,
            max_partition_fetch_bytes=1_048_576,
        )
        consumer.subscribe(list(topics), listener=_Listener(on_assigned, on_revoked))
        await _start(consumer, self._settings.bootstrap)
        return KafkaConsumer(consumer)

    async def reader(self) -> KafkaReader:
        """Return a started reader that reads nothing yet."""
        consumer = AIOKafkaConsumer(
            **self._settings.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await _start(consumer, self._settings.bootstrap)
        return KafkaReader(consumer)

    async def admin(self) -> KafkaAdmin:
        """Return a started admin."""
        return await KafkaAdmin.start(
            self._settings.client(), self.prefix, self._settings.partitions, self._settings.replication
        )


async def _start(client: Any, bootstrap: str) -> None:
    try:
        await client.start()
    except KafkaError as error:
        await client.stop()
        raise Retry(f"Kafka does not answer at {bootstrap} ({type(error).__name__}); is it running?") from error
