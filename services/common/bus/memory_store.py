"""What the log in memory holds: topics, their partitions, and the records in them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from services.common.bus import Outgoing, Partition, Received
from services.common.bus.placing import partition_of
from services.common.clock import Clock
from services.common.errors import Reject, Retry
from services.common.model import micros

_LARGEST = 1_048_588
"""Kafka's own default of max.message.bytes."""
_OVERHEAD = 70
"""Bytes of a batch of one record beside key, value and headers."""


@dataclass(slots=True)
class Log:
    """One partition. ``first`` is the offset of the oldest record kept."""

    records: list[Received] = field(default_factory=list)
    first: int = 0

    @property
    def end(self) -> int:
        """Offset of the next record to be stored."""
        return self.first + len(self.records)

    def since(self, offset: int, limit: int) -> list[Received]:
        """Return up to ``limit`` records from ``offset`` on."""
        start = max(0, offset - self.first)
        return self.records[start : start + limit]


@dataclass(slots=True)
class StoredTopic:
    """One topic. ``incarnation`` is another one when it is made again."""

    logs: list[Log]
    config: dict[str, str]
    incarnation: str = field(default_factory=lambda: uuid4().hex)


class Store:
    """All topics."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored = asyncio.Event()
        self.topics: dict[str, StoredTopic] = {}

    def create(self, name: str, partitions: int, config: Mapping[str, str]) -> None:
        """Make a topic."""
        self.topics[name] = StoredTopic([Log() for _ in range(partitions)], dict(config))

    def topic(self, name: str) -> StoredTopic:
        """Return a topic; raises Retry when it is missing."""
        if name not in self.topics:
            raise Retry(f"Kafka has no topic {name}; create it with `watercooler topics apply`")
        return self.topics[name]

    def log(self, partition: Partition) -> Log:
        """Return the log of a partition; raises Retry when its topic is missing."""
        return self.topic(partition.topic).logs[partition.number]

    def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """Return all partitions of topics."""
        return [Partition(name, n) for name in topics for n in range(len(self.topic(name).logs))]

    def append(self, record: Outgoing) -> None:
        """Store a record; raises Reject when it is larger than the topic takes, Retry when there is no such topic."""
        topic = self.topic(record.topic)
        if _size(record) > int(topic.config.get("max.message.bytes", _LARGEST)):
            raise Reject(
                f"topic {record.topic}: the record of {len(record.value or b'')} bytes is larger than the topic takes"
            )
        place = record.key if record.place is None else record.place
        number = partition_of(place, len(topic.logs)) if record.partition is None else record.partition
        log = topic.logs[number]
        log.records.append(
            Received(
                partition=Partition(record.topic, number),
                offset=log.end,
                key=record.key,
                value=record.value,
                headers=dict(record.headers),
                timestamp=micros(self._clock()) // 1000,
            )
        )
        self.wake()

    async def more(self, wait: float) -> None:
        """Return when something was stored, or after ``wait`` seconds."""
        try:
            async with asyncio.timeout(wait):
                await self._stored.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Let everybody who waits look again."""
        stored, self._stored = self._stored, asyncio.Event()
        stored.set()


def _size(record: Outgoing) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key.encode()) + len(record.value or b"") + headers + _OVERHEAD
