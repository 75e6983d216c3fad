"""The log in memory, for tests and tools: it keeps the same promises as Kafka, except that nothing is compacted.

A group's partitions are dealt out anew whenever a member comes or goes. Everything runs on one event loop.
"""

import asyncio
from collections.abc import Iterable, Sequence

from services.common.bus import Difference, OnPartitions, Outgoing, Partition, Unpublished
from services.common.bus.memory_reading import Group, MemoryConsumer, MemoryReader
from services.common.bus.memory_store import Store
from services.common.clock import Clock, now
from services.common.errors import Stop, WatercoolerError
from services.common.topics import TOPICS, Topic


class MemoryBus:
    """The log in memory. Topics of ``topics`` are there from the start."""

    def __init__(
        self, prefix: str = "", *, partitions: int = 4, topics: Iterable[Topic] = TOPICS, clock: Clock = now
    ) -> None:
        self.prefix = prefix
        self._partitions = partitions
        self._store = Store(clock)
        self._groups: dict[str, Group] = {}
        for topic in topics:
            self._store.create(topic.name(prefix), partitions, topic.config)

    def with_partitions(self, partitions: int) -> "MemoryBus":
        """Return the same log, seen by somebody whose settings say another number of partitions."""
        other = MemoryBus(self.prefix, partitions=partitions, topics=())
        other._store, other._groups = self._store, self._groups
        return other

    def delete(self, name: str) -> None:
        """Delete a topic with all that is in it."""
        del self._store.topics[name]

    def expire(self, partition: Partition, offset: int) -> None:
        """Drop the records before ``offset``, as retention would."""
        log = self._store.log(partition)
        dropped = len(log.since(0, offset - log.first))
        log.records[:dropped] = []
        log.first += dropped

    async def publisher(self) -> "MemoryPublisher":
        """Return a publisher."""
        return MemoryPublisher(self._store)

    async def consumer(
        self,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
    ) -> MemoryConsumer:
        """Return a member of ``group``; raises Retry when a topic is missing."""
        for topic in topics:
            self._store.topic(topic)
        made = MemoryConsumer(self._store, self._groups.setdefault(group, Group()), topics, on_assigned, on_revoked)
        await made.join()
        return made

    async def reader(self, *, unhurried: bool = False) -> MemoryReader:
        """Return a reader that reads nothing yet; here none has to wait."""
        return MemoryReader(self._store)

    async def admin(self) -> "MemoryAdmin":
        """Return an admin."""
        return MemoryAdmin(self._store, self.prefix, self._partitions)


class MemoryPublisher:
    """Publisher."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Store all; raise Unpublished for those that were not stored."""
        failures: list[tuple[Outgoing, WatercoolerError]] = []
        for record in records:
            try:
                self._store.append(record)
            except WatercoolerError as error:
                failures.append((record, error))
        await asyncio.sleep(0)
        if failures:
            raise Unpublished(failures)

    async def stop(self) -> None:
        """Nothing is buffered."""


class MemoryAdmin:
    """Admin."""

    def __init__(self, store: Store, prefix: str, partitions: int) -> None:
        self._store = store
        self._prefix = prefix
        self._partitions = partitions

    async def diff(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Return what differs; empty when all is as the table says."""
        return [one for topic in topics for one in self._diff(topic.name(self._prefix), topic)]

    def _diff(self, name: str, topic: Topic) -> list[Difference]:
        found = self._store.topics.get(name)
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
        table = {topic.name(self._prefix): topic for topic in topics}
        differences = await self.diff(table.values())
        for one in differences:
            if one.setting == "partitions":
                raise Stop(f"topic {one.topic} has {one.found} partitions, not {one.wanted}; that never changes")
        for one in differences:
            if one.setting == "topic":
                self._store.create(one.topic, self._partitions, table[one.topic].config)
            else:
                self._store.topic(one.topic).config[one.setting] = one.wanted or ""
        return differences

    async def incarnation(self, topic: str) -> str:
        """Return an id that changes when a topic is deleted and made again."""
        return self._store.topic(topic).incarnation

    async def stop(self) -> None:
        """Nothing is open."""
