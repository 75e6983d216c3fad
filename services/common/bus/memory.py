"""The log in memory, for tests and tools: it keeps the same promises as Kafka, except that nothing is compacted.

A group's partitions are dealt out anew whenever a member comes or goes. Everything runs on one event loop.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

from services.common.bus import Difference, OnPartitions, Outgoing, Partition, Received, Unpublished
from services.common.bus.placing import partition_of
from services.common.clock import Clock, now
from services.common.errors import Reject, Retry, Stop, WatercoolerError
from services.common.model import micros
from services.common.topics import TOPICS, Topic

_LARGEST = 1_048_588
"""Kafka's own default of max.message.bytes."""
_OVERHEAD = 70
"""Bytes of a batch of one record beside key, value and headers."""


@dataclass(slots=True)
class _Log:
    records: list[Received] = field(default_factory=list)
    first: int = 0

    @property
    def end(self) -> int:
        return self.first + len(self.records)

    def since(self, offset: int, limit: int) -> list[Received]:
        start = max(0, offset - self.first)
        return self.records[start : start + limit]


@dataclass(slots=True)
class _Topic:
    logs: list[_Log]
    config: dict[str, str]
    incarnation: str = field(default_factory=lambda: uuid4().hex)


@dataclass(slots=True)
class _Group:
    offsets: dict[Partition, int] = field(default_factory=dict)
    members: list["MemoryConsumer"] = field(default_factory=list)
    dealing: asyncio.Lock = field(default_factory=asyncio.Lock)


class MemoryBus:
    """The log in memory. Topics of ``topics`` are there from the start."""

    def __init__(
        self, prefix: str = "", *, partitions: int = 4, topics: Iterable[Topic] = TOPICS, clock: Clock = now
    ) -> None:
        self.prefix = prefix
        self._partitions = partitions
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._groups: dict[str, _Group] = {}
        self._stored = asyncio.Event()
        for topic in topics:
            self.create(topic.name(prefix), topic.config)

    def with_partitions(self, partitions: int) -> "MemoryBus":
        """Return the same log, seen by somebody whose settings say another number of partitions."""
        other = MemoryBus(self.prefix, partitions=partitions, topics=(), clock=self._clock)
        other._topics, other._groups = self._topics, self._groups
        return other

    async def publisher(self) -> "MemoryPublisher":
        """Return a publisher."""
        return MemoryPublisher(self)

    async def consumer(
        self,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
    ) -> "MemoryConsumer":
        """Return a member of ``group``; raises Retry when a topic is missing."""
        for topic in topics:
            self.topic(topic)
        made = MemoryConsumer(self, self._groups.setdefault(group, _Group()), topics, on_assigned, on_revoked)
        await made.join()
        return made

    async def reader(self) -> "MemoryReader":
        """Return a reader that reads nothing yet."""
        return MemoryReader(self)

    async def admin(self) -> "MemoryAdmin":
        """Return an admin."""
        return MemoryAdmin(self, self._partitions)

    def create(self, name: str, config: Mapping[str, str]) -> None:
        """Make a topic."""
        self._topics[name] = _Topic([_Log() for _ in range(self._partitions)], dict(config))

    def delete(self, name: str) -> None:
        """Delete a topic with all that is in it."""
        del self._topics[name]

    def expire(self, partition: Partition, offset: int) -> None:
        """Drop the records before ``offset``, as retention would."""
        log = self.log(partition)
        dropped = log.since(0, offset - log.first)
        log.records[: len(dropped)] = []
        log.first += len(dropped)

    def find(self, name: str) -> _Topic | None:
        """Return a topic, None where there is no such."""
        return self._topics.get(name)

    def topic(self, name: str) -> _Topic:
        """Return a topic; raises Retry when it is missing."""
        if name not in self._topics:
            raise Retry(f"Kafka has no topic {name}; create it with `watercooler topics apply`")
        return self._topics[name]

    def log(self, partition: Partition) -> _Log:
        """Return the log of a partition; raises Retry when its topic is missing."""
        return self.topic(partition.topic).logs[partition.number]

    def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """Return all partitions of topics."""
        return [Partition(name, n) for name in topics for n in range(len(self.topic(name).logs))]

    def store(self, record: Outgoing) -> None:
        """Append a record; raises Reject when it is larger than the topic takes, Retry when there is no such topic."""
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
        stored, self._stored = self._stored, asyncio.Event()
        stored.set()

    async def more(self, wait: float) -> None:
        """Return when something was stored, or after ``wait`` seconds."""
        try:
            await asyncio.wait_for(self._stored.wait(), wait)
        except TimeoutError:
            return

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._stored.set()
        self._stored = asyncio.Event()


def _size(record: Outgoing) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key.encode()) + len(record.value or b"") + headers + _OVERHEAD


class MemoryPublisher:
    """Publisher."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Store all; raise Unpublished for those that were not stored."""
        failures: list[tuple[Outgoing, WatercoolerError]] = []
        for record in records:
            try:
                self._bus.store(record)
            except WatercoolerError as error:
                failures.append((record, error))
        await asyncio.sleep(0)
        if failures:
            raise Unpublished(failures)

    async def stop(self) -> None:
        """Nothing is buffered."""


class _Positions:
    """What is read next, per partition; partitions take turns."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.next: dict[Partition, int] = {}
        self._turn = count()

    async def poll(self, limit: int, wait: float, paused: frozenset[Partition]) -> list[Received]:
        """Return up to ``limit`` records, waiting up to ``wait`` seconds for one."""
        deadline = asyncio.get_running_loop().time() + wait
        # Before taking, not after: nobody may see a position whose records are not handed over yet.
        await asyncio.sleep(0)
        while not (taken := self._take(limit, paused)):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await self._bus.more(left)
        return taken

    def _take(self, limit: int, paused: frozenset[Partition]) -> list[Received]:
        ready = [p for p in self.next if p not in paused]
        turn = next(self._turn) % len(ready) if ready else 0
        taken: list[Received] = []
        for partition in ready[turn:] + ready[:turn]:
            records = self._bus.log(partition).since(self.next[partition], limit - len(taken))
            if records:
                self.next[partition] = records[-1].offset + 1
                taken += records
        return taken


class MemoryConsumer:
    """Member of a group."""

    def __init__(
        self,
        bus: MemoryBus,
        group: _Group,
        topics: Sequence[str],
        on_assigned: OnPartitions | None,
        on_revoked: OnPartitions | None,
    ) -> None:
        self._bus = bus
        self._group = group
        self.topics = tuple(topics)
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._positions = _Positions(bus)
        self._paused: set[Partition] = set()

    async def join(self) -> None:
        """Enter the group: every member's partitions are dealt out anew."""
        async with self._group.dealing:
            await _deal(self._bus, self._group, [*self._group.members, self])

    async def stop(self) -> None:
        """Leave the group at once."""
        async with self._group.dealing:
            if self in self._group.members:
                await _deal(self._bus, self._group, [one for one in self._group.members if one is not self])

    async def lose(self) -> None:
        """Give all partitions back."""
        if self._positions.next and self._on_revoked:
            await self._on_revoked(self.assignment())
        self._positions.next = {}
        self._paused.clear()

    async def gain(self, partitions: Iterable[Partition]) -> None:
        """Take partitions, from where the group has committed."""
        self._positions.next = {p: self._group.offsets.get(p, 0) for p in partitions}
        if self._on_assigned:
            await self._on_assigned(self.assignment())

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """Return up to ``limit`` records of partitions that are not paused, waiting up to ``wait`` seconds for one."""
        return await self._positions.poll(limit, wait, frozenset(self._paused))

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Give no records of these until resumed."""
        self._paused |= self.assignment().intersection(partitions)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Give records of these again."""
        self._paused.difference_update(partitions)
        self._bus.wake()

    def rewind(self, partition: Partition, offset: int) -> None:
        """Give the records from ``offset`` on again."""
        if partition in self._positions.next:
            self._positions.next[partition] = offset
            self._bus.wake()

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the offset of the next record to read; raise Retry for a partition that is another member's now."""
        gone = offsets.keys() - self._positions.next.keys()
        if gone:
            raise Retry(f"Kafka did not store the offsets of {sorted(gone)}: they are not ours any more")
        self._group.offsets.update(offsets)

    def assignment(self) -> frozenset[Partition]:
        """Return the partitions that this member has now."""
        return frozenset(self._positions.next)

    async def lag(self) -> Mapping[Partition, int]:
        """Return per assigned partition how many records lie between the position and the end."""
        return {p: max(0, self._bus.log(p).end - position) for p, position in self._positions.next.items()}


async def _deal(bus: MemoryBus, group: _Group, members: list[MemoryConsumer]) -> None:
    for member in group.members:
        await member.lose()
    group.members = members
    hands: dict[int, list[Partition]] = {n: [] for n in range(len(members))}
    for partition in bus.partitions(dict.fromkeys(name for member in members for name in member.topics)):
        takers = [n for n, member in enumerate(members) if partition.topic in member.topics]
        hands[min(takers, key=lambda n: len(hands[n]))].append(partition)
    for n, member in enumerate(members):
        await member.gain(hands[n])


class MemoryReader:
    """Reader."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._positions = _Positions(bus)

    async def start_at(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets on (instead of any before)."""
        for partition in offsets:
            self._bus.log(partition)
        self._positions.next = dict(offsets)

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """As Consumer.poll."""
        return await self._positions.poll(limit, wait, frozenset())

    async def position(self, partition: Partition) -> int:
        """Return the offset of the next record to be given."""
        return self._positions.next[partition]

    async def bounds(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """Return per partition the first offset kept and the end."""
        logs = {p: self._bus.log(p) for p in self._bus.partitions([topic])}
        return {p: (log.first, log.end) for p, log in logs.items()}

    async def offsets_at(self, topic: str, timestamp: int) -> Mapping[Partition, int]:
        """Return per partition the first offset stored at or after ``timestamp`` (ms); the end where there is none."""
        logs = {p: self._bus.log(p) for p in self._bus.partitions([topic])}
        return {
            p: next((one.offset for one in log.records if one.timestamp >= timestamp), log.end)
            for p, log in logs.items()
        }

    async def stop(self) -> None:
        """Nothing is open."""


class MemoryAdmin:
    """Admin."""

    def __init__(self, bus: MemoryBus, partitions: int) -> None:
        self._bus = bus
        self._partitions = partitions

    async def diff(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Return what differs; empty when all is as the table says."""
        return [one for topic in topics for one in self._diff(topic.name(self._bus.prefix), topic)]

    def _diff(self, name: str, topic: Topic) -> list[Difference]:
        found = self._bus.find(name)
        if found is None:
            return [Difference(topic=name, setting="topic", wanted="present", found=None)]
        if len(found.logs) != self._partitions:
            counts = str(self._partitions), str(len(found.logs))
            return [Difference(topic=name, setting="partitions", wanted=counts[0], found=counts[1])]
        return [
            Difference(topic=name, setting=key, wanted=value, found=found.config.get(key))
            for key, value in topic.config.items()
            if found.config.get(key) != value
        ]

    async def apply(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Create what is missing, mend settings; return what was changed. Partitions never change: raises Stop."""
        table = {topic.name(self._bus.prefix): topic for topic in topics}
        differences = await self.diff(table.values())
        for one in differences:
            if one.setting == "partitions":
                raise Stop(f"topic {one.topic} has {one.found} partitions, not {one.wanted}; that never changes")
        for one in differences:
            if one.setting == "topic":
                self._bus.create(one.topic, table[one.topic].config)
            else:
                self._bus.topic(one.topic).config[one.setting] = one.wanted or ""
        return differences

    async def incarnation(self, topic: str) -> str:
        """Return an id that changes when a topic is deleted and made again."""
        return self._bus.topic(topic).incarnation

    async def stop(self) -> None:
        """Nothing is open."""
