"""Reading from Kafka: as a member of a group, and freely."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.common import logs
from services.common.bus import OnPartitions, Partition, Received
from services.common.bus.kafka_errors import missing, translated
from services.common.bus.kafka_protocol import describe

_log = logs.get(__name__)
_LEAVING = 10.0
"""Seconds that leaving may take."""


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
    with translated("reading"):
        batches = await consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
    return [received(record) for batch in batches.values() for record in batch]


async def _finish(consumer: AIOKafkaConsumer) -> None:
    """Leave and close, also when Kafka does not answer; whom it concerns there finds out by itself."""
    try:
        async with asyncio.timeout(_LEAVING):
            await consumer.stop()
    except (KafkaError, TimeoutError) as error:
        _log.warning("a reader of Kafka was closed without its goodbye", error=type(error).__name__)
        await consumer._client.close()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        # In aiokafka 0.14 a fetch that waits to be tried again hands its cancellation on, and stop() ends half way.
        await consumer._client.close()


def _ours(partitions: Iterable[TopicPartition]) -> frozenset[Partition]:
    return frozenset(Partition(p.topic, p.partition) for p in partitions)


def _theirs(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells our callbacks what the group has decided."""

    def __init__(self, assigned: OnPartitions | None, revoked: OnPartitions | None) -> None:
        self._assigned, self._revoked = assigned, revoked

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Partitions have come."""
        if self._assigned:
            await self._assigned(_ours(assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Partitions go."""
        if self._revoked and (gone := _ours(revoked)):
            await self._revoked(gone)


class KafkaConsumer:
    """Consumer over one aiokafka group member."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """Return up to ``limit`` records, waiting up to ``wait`` seconds for one."""
        return await _poll(self._consumer, limit, wait)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Give no records of these until resumed."""
        self._consumer.pause(*self._mine(partitions))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Give records of these again."""
        self._consumer.resume(*self._mine(partitions))

    def _mine(self, partitions: Iterable[Partition]) -> list[TopicPartition]:
        # A rebalance may have taken a partition between two lines of the caller.
        return [p for p in map(_theirs, partitions) if p in self._consumer.assignment()]

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the offset of the next record to read; raise Retry when the group has moved on without us."""
        with translated(f"storing offsets of {', '.join(sorted({p.topic for p in offsets}))}"):
            await self._consumer.commit({_theirs(p): offset for p, offset in offsets.items()})

    def assignment(self) -> frozenset[Partition]:
        """Return the partitions that this member has now."""
        return _ours(self._consumer.assignment())

    async def lag(self) -> Mapping[Partition, int]:
        """Return per assigned partition how many records lie between the position and the end."""
        with translated("asking for the lag"):
            mine = self._consumer.assignment()
            ends = await self._consumer.end_offsets(mine) if mine else {}
            positions = {p: await self._consumer.position(p) for p in ends}
        return {Partition(p.topic, p.partition): max(0, end - positions[p]) for p, end in ends.items()}

    async def stop(self) -> None:
        """Leave the group at once."""
        await _finish(self._consumer)


class KafkaReader:
    """Reader over one aiokafka consumer without a group, and a client that asks which partitions there are."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        client: AIOKafkaClient,
        another: Callable[[], Awaitable[AIOKafkaConsumer]] | None,
    ) -> None:
        self._consumer = consumer
        self._client = client
        self._another = another
        self._asker: AIOKafkaConsumer | None = None
        self._making = asyncio.Lock()

    async def _asking(self) -> AIOKafkaConsumer:
        """Return a consumer to ask for offsets by: not by the one that reads, once it does, where ``another`` is given.

        Kafka answers a connection's requests one after the other, and a fetch waits half a second where nothing comes.
        """
        if self._another is None or not self._consumer.assignment():
            return self._consumer
        async with self._making:
            if self._asker is None:
                self._asker = await self._another()
        return self._asker

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
        with translated("asking for a position"):
            return int(await self._consumer.position(_theirs(partition)))

    async def _all(self, topic: str) -> list[TopicPartition]:
        found = await describe(self._client, [topic])
        if topic not in found:
            raise missing(topic)
        return [TopicPartition(topic, number) for number in range(found[topic].partitions)]

    async def bounds(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """Return per partition the first offset kept and the end."""
        with translated(f"asking for the offsets of {topic}"):
            partitions, asker = await self._all(topic), await self._asking()
            first = await asker.beginning_offsets(partitions)
            last = await asker.end_offsets(partitions)
        return {Partition(p.topic, p.partition): (first[p], last[p]) for p in partitions}

    async def offsets_at(self, topic: str, timestamp: int) -> Mapping[Partition, int]:
        """Return per partition the first offset stored at or after ``timestamp`` (ms); the end where there is none."""
        with translated(f"asking for the offsets of {topic}"):
            partitions, asker = await self._all(topic), await self._asking()
            found = await asker.offsets_for_times(dict.fromkeys(partitions, max(0, timestamp)))
            ends = await asker.end_offsets(partitions)
        return {Partition(p.topic, p.partition): found[p].offset if found[p] else ends[p] for p in partitions}

    async def stop(self) -> None:
        """Close."""
        await _finish(self._consumer)
        if self._asker is not None:
            await _finish(self._asker)
        await self._client.close()
