"""Reading the log in memory: as a member of a group, and freely."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from services.common.bus import OnPartitions, Partition, Received
from services.common.bus.memory_store import Store
from services.common.errors import Retry


@dataclass(slots=True)
class Group:
    """A consumer group: what it has committed, and its members."""

    offsets: dict[Partition, int] = field(default_factory=dict)
    members: list["MemoryConsumer"] = field(default_factory=list)
    dealing: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Positions:
    """What is read next, per partition; partitions take turns."""

    def __init__(self, store: Store) -> None:
        self._store = store
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
            await self._store.more(left)
        return taken

    def _take(self, limit: int, paused: frozenset[Partition]) -> list[Received]:
        ready = [p for p in self.next if p not in paused]
        turn = next(self._turn) % len(ready) if ready else 0
        taken: list[Received] = []
        for partition in ready[turn:] + ready[:turn]:
            records = self._store.log(partition).since(self.next[partition], limit - len(taken))
            if records:
                self.next[partition] = records[-1].offset + 1
                taken += records
        return taken


class MemoryConsumer:
    """Member of a group."""

    def __init__(
        self,
        store: Store,
        group: Group,
        topics: Sequence[str],
        on_assigned: OnPartitions | None,
        on_revoked: OnPartitions | None,
    ) -> None:
        self._store = store
        self._group = group
        self.topics = tuple(topics)
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._positions = _Positions(store)
        self._paused: set[Partition] = set()

    async def join(self) -> None:
        """Enter the group: every member's partitions are dealt out anew."""
        async with self._group.dealing:
            await _deal(self._store, self._group, [*self._group.members, self])

    async def stop(self) -> None:
        """Leave the group at once."""
        async with self._group.dealing:
            if self in self._group.members:
                await _deal(self._store, self._group, [one for one in self._group.members if one is not self])

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
        self._store.wake()

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
        return {p: max(0, self._store.log(p).end - position) for p, position in self._positions.next.items()}


async def _deal(store: Store, group: Group, members: list[MemoryConsumer]) -> None:
    for member in group.members:
        await member.lose()
    group.members = members
    hands: dict[int, list[Partition]] = {n: [] for n in range(len(members))}
    for partition in store.partitions(dict.fromkeys(name for member in members for name in member.topics)):
        takers = [n for n, member in enumerate(members) if partition.topic in member.topics]
        hands[min(takers, key=lambda n: len(hands[n]))].append(partition)
    for n, member in enumerate(members):
        await member.gain(hands[n])


class MemoryReader:
    """Reader."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._positions = _Positions(store)

    async def start_at(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets on (instead of any before)."""
        for partition in offsets:
            self._store.log(partition)
        self._positions.next = dict(offsets)

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """As Consumer.poll."""
        return await self._positions.poll(limit, wait, frozenset())

    async def position(self, partition: Partition) -> int:
        """Return the offset of the next record to be given."""
        return self._positions.next[partition]

    async def bounds(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """Return per partition the first offset kept and the end."""
        logs = {p: self._store.log(p) for p in self._store.partitions([topic])}
        return {p: (log.first, log.end) for p, log in logs.items()}

    async def offsets_at(self, topic: str, timestamp: int) -> Mapping[Partition, int]:
        """Return per partition the first offset stored at or after ``timestamp`` (ms); the end where there is none."""
        logs = {p: self._store.log(p) for p in self._store.partitions([topic])}
        return {
            p: next((one.offset for one in log.records if one.timestamp >= timestamp), log.end)
            for p, log in logs.items()
        }

    async def stop(self) -> None:
        """Nothing is open."""
