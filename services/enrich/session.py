"""One life as a member of the consumer group: partitions come and go, each with a lane of its own.

A partition that is assigned is paused at once. Its lane opens beside the others: the producer starts and so fences the
owner before and ends his transaction; then what the partition has had is read; only then is the committed offset asked
for, since until then it might still have moved; and reading begins there.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from services.common import metrics
from services.common.bus import Bus
from services.common.bus.kafka_reading import received
from services.common.bus.kafka_settings import KafkaSettings
from services.enrich.lane import SERVICE, Lane, Tools
from services.enrich.memory import Memory
from services.enrich.transaction import Transactions

_BATCH = 1_000
"""Records of one poll: about a third of a second of work in the thread."""
_WAIT_MS = 500
_REBALANCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session reads, as whom, and what it shares with sessions before and after it."""

    settings: KafkaSettings
    bus: Bus
    topic: str
    group: str
    session_seconds: float
    tools: Tools
    memory: Callable[[int], Memory]
    """The memory of a partition, kept over sessions of one process."""


class Session(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads and handles until a lane fails or it is cancelled; ``close`` afterwards, always."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lanes: dict[TopicPartition, Lane] = {}
        self._opening: dict[TopicPartition, asyncio.Task[None]] = {}
        self._handling: asyncio.Future[list[None]] | None = None
        self._joined = False
        self._closing = False
        self.progressed = False
        seconds = place.session_seconds
        self._consumer = AIOKafkaConsumer(
            **place.settings.client(),
            group_id=place.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=int(seconds * 1000),
            heartbeat_interval_ms=int(seconds * 200),
            rebalance_timeout_ms=_REBALANCE_MS,
            max_partition_fetch_bytes=1_048_576,
        )

    @property
    def missing(self) -> str:
        """What it still waits for, in a sentence; empty when every partition it has is being read."""
        if not self._joined:
            return f"this worker has not joined group {self._place.group} yet"
        return f"{len(self._opening)} partitions of {self._place.topic} are opening" if self._opening else ""

    async def run(self) -> None:
        """Go on for ever. Raises what a lane raises, and KafkaError."""
        self._consumer.subscribe([self._place.topic], listener=self)
        await self._consumer.start()
        while True:
            for task in [task for task in self._opening.values() if task.done()]:
                task.result()
            batches = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=_BATCH)
            work = [self._handle(self._lanes[p], records) for p, records in batches.items() if p in self._lanes]
            if work:
                # Who stops the service stops the reading; what is at hand is brought to its end by ``close``.
                self._handling = asyncio.gather(*work)
                await asyncio.shield(self._handling)
                self.progressed = True
            self._measure()

    async def _handle(self, lane: Lane, records: Iterable[Any]) -> None:
        await lane.handle([received(record) for record in records])

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Open a lane for each; called by the consumer, which may still be joining while it is told to stop."""
        self._joined = True
        for partition in () if self._closing else assigned:
            self._consumer.pause(partition)
            self._opening[partition] = asyncio.create_task(self._open(partition))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Close the lanes, after the batches at hand; called by the consumer, which keeps the partitions until then."""
        await self._close_lanes()

    async def _open(self, partition: TopicPartition) -> None:
        place = self._place
        transactions = Transactions(place.settings, place.group, partition)
        await transactions.start()
        try:
            memory = place.memory(partition.partition)
            reader = await place.bus.reader()
            try:
                await memory.catch_up(reader)
            finally:
                await reader.stop()
            offset = await self._next_offset(partition)
            self._consumer.seek(partition, offset)
        except BaseException:
            await transactions.stop()
            raise
        self._lanes[partition] = Lane(transactions, memory, place.tools, offset)
        del self._opening[partition]
        self._consumer.resume(partition)

    async def _next_offset(self, partition: TopicPartition) -> int:
        committed = await self._consumer.committed(partition)
        if committed is not None:
            return int(committed)
        first: Mapping[TopicPartition, int] = await self._consumer.beginning_offsets([partition])
        return first[partition]

    async def _close_lanes(self) -> None:
        opening, self._opening = list(self._opening.values()), {}
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(*(lane.close() for lane in lanes))

    async def close(self) -> None:
        """Bring the batches at hand to their end, leave the group."""
        self._closing = True
        if self._handling is not None:
            await asyncio.gather(self._handling, return_exceptions=True)
        await self._close_lanes()
        await self._consumer.stop()

    def _measure(self) -> None:
        for partition, lane in self._lanes.items():
            end = self._consumer.highwater(partition)
            if end is not None:
                lag = max(0, end - lane.position)
                metrics.LAG_RECORDS.labels(SERVICE, self._place.topic, str(partition.partition)).set(lag)
