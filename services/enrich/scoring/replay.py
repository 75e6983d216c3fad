"""All of ``enriched.v1`` in every worker, in the order of event time, handled once; what follows is kept for who asks.

The state of scoring is a function of the log up to a point of this order, never of the moment at which something was
read. A worker scores only what lies in its own partitions from their committed offsets on; all else it takes in. When
it is given a partition of which it has taken in more than is committed, it begins anew from the log: so after a kill
and after a rebalance everything is scored as it would have been without them. (Faust reads records of open
transactions too; this reader does not, so waiting for it is also waiting for the commit.)
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from services.common.bus import Bus, Outgoing, Partition, Reader, Received
from services.common.errors import Reject
from services.common.model import Enriched
from services.common.topics import Topic
from services.enrich.scoring.merge import Merge
from services.enrich.scoring.patience import patiently

_BATCH = 200
_PAUSE = 0.05
_TOGETHER = 0.05
"""Seconds that are given to what is being published at the same moment in other partitions."""


@dataclass(frozen=True, slots=True)
class Item:
    """A record, what is in it (an error where it cannot be read, None for a tombstone), and whether to score it."""

    record: Received
    enriched: Enriched | Reject | None
    wanted: bool


Outcome = Sequence[Outgoing] | Reject


class Handler(Protocol):
    """Takes the log in. Runs in the thread."""

    def begin(self) -> None:
        """Forget everything: the log is read from its beginning again."""

    def read(self, record: Received) -> tuple[Enriched | Reject | None, int]:
        """Return what is in a record, and its event time in micros."""

    def handle(self, items: Sequence[Item]) -> list[Outcome]:
        """Take these in, in this order; return for each what follows from it, nothing for those not wanted."""


@dataclass(slots=True)
class _Line:
    """Where one partition stands. ``scope`` is the offset from which on this worker has to score it; None: nowhere.

    What is before was committed earlier than what is ``committed`` now, so nobody asks for it again, and outcomes of it
    are dropped. (The newest commit may have failed while partitions were dealt; Faust does not tell.)
    """

    taken: int
    end: int
    scope: int | None = None
    committed: int = 0
    outcomes: OrderedDict[int, Outcome] = field(default_factory=OrderedDict)

    def move(self, committed: int) -> None:
        """Take note of what is committed by now; drop outcomes that nobody asks for again."""
        if self.scope is None or committed <= self.committed:
            return
        self.scope, self.committed = max(self.scope, self.committed), committed
        while self.outcomes and next(iter(self.outcomes)) < self.scope:
            self.outcomes.popitem(last=False)


class Replay:
    """``assign`` when the group has dealt; run ``follow`` as a part of the service. ``executor`` has one thread."""

    def __init__(self, bus: Bus, topic: Topic, handler: Handler, executor: Executor, tail: int) -> None:
        self._bus = bus
        self._topic = topic.name(bus.prefix)
        self._handler = handler
        self._executor = executor
        self._tail = tail
        self._reader: Reader | None = None
        self._merge: Merge[tuple[Received, Enriched | Reject | None]] = Merge()
        self._lines: dict[int, _Line] = {}
        self._assigned: Mapping[int, int] | None = None
        self._moved = asyncio.Condition()
        self._begun_to: dict[int, int] = {}
        self._life = 0
        """How often partitions were dealt anew."""
        self._dealt_in = -1

    def assign(self, committed: Mapping[int, int] | None) -> None:
        """Take note of this worker's partitions with their committed offsets; None while they are being dealt."""
        self._life += committed is None
        self._assigned = committed

    def stored(self, committed: Mapping[int, int]) -> None:
        """Take note of the offsets that the group has committed since."""
        for number, offset in committed.items():
            if number in self._lines:
                self._lines[number].move(offset)

    @property
    def dealt(self) -> bool:
        """Whether this worker's partitions are known here."""
        return self._assigned is not None

    @property
    def loaded(self) -> bool:
        """Whether all that was there at the beginning is taken in."""
        return bool(self._lines) and all(self._lines[p].taken >= end for p, end in self._begun_to.items())

    @property
    def behind(self) -> bool:
        """Whether more waits than is taken in at a time."""
        return sum(max(0, line.end - line.taken) for line in self._lines.values()) > _BATCH

    async def follow(self) -> None:
        """Go on for ever."""
        while True:
            if self._assigned is None:
                async with self._moved:
                    self._moved.notify_all()
                await asyncio.sleep(_PAUSE)
                continue
            if self._dealt_in != self._life or not self._lines:
                await self._deal(self._assigned)
            await self._step()

    async def _deal(self, committed: Mapping[int, int]) -> None:
        life = self._life
        if not self._lines or any(self._gone_past(p, offset) for p, offset in committed.items()):
            await self._begin()
        for number, line in self._lines.items():
            if number not in committed:
                line.scope, line.outcomes = None, OrderedDict()
            elif line.scope is None:
                line.scope = line.committed = committed[number]
        self._dealt_in = life

    def _gone_past(self, number: int, committed: int) -> bool:
        """Return whether records from ``committed`` on were taken in without being scored, or are no longer kept."""
        line = self._lines[number]
        if line.scope is None:
            return line.taken > committed
        return committed < line.scope

    async def _begin(self) -> None:
        if self._reader is None:
            self._reader = await patiently(self._bus.reader)
        reader = self._reader
        found = await patiently(lambda: reader.bounds(self._topic))
        bounds = {p.number: span for p, span in found.items()}
        each = self._tail // len(bounds)
        start = {number: max(first, end - each) for number, (first, end) in bounds.items()}
        await reader.start_at({Partition(self._topic, number): offset for number, offset in start.items()})
        self._merge = Merge()
        self._lines = {number: _Line(taken=offset, end=bounds[number][1]) for number, offset in start.items()}
        self._begun_to = {number: end for number, (_, end) in bounds.items()}
        await asyncio.get_running_loop().run_in_executor(self._executor, self._handler.begin)

    async def _step(self) -> None:
        reader = self._reader
        assert reader is not None
        records = list(await reader.poll(limit=_BATCH, wait=0.5))
        if records:
            # What was published together is to be seen together, and what is there by now is waited for.
            await asyncio.sleep(_TOGETHER)
            records += await reader.poll(limit=_BATCH, wait=0)
            for partition, (_, end) in (await patiently(lambda: reader.bounds(self._topic))).items():
                self._lines[partition.number].end = end
        positions = {number: await reader.position(Partition(self._topic, number)) for number in self._lines}
        found = await asyncio.get_running_loop().run_in_executor(self._executor, self._work, records, positions)
        for item, outcome in found:
            if outcome:
                self._lines[item.record.partition.number].outcomes[item.record.offset] = outcome
        async with self._moved:
            for number, line in self._lines.items():
                waiting = self._merge.first(number)
                line.taken = waiting[0].offset if waiting else positions[number]
            self._moved.notify_all()

    def _work(self, records: Sequence[Received], positions: Mapping[int, int]) -> list[tuple[Item, Outcome]]:
        """Take records in; return what follows from those whose turn it is. Runs in the thread."""
        for record in records:
            enriched, time = self._handler.read(record)
            self._merge.put(record.partition.number, time, (record, enriched))
        unread = [number for number, line in self._lines.items() if positions[number] < line.end]
        items = [Item(record, enriched, self._wanted(record)) for record, enriched in self._merge.ready(unread)]
        return list(zip(items, self._handler.handle(items), strict=True))

    def _wanted(self, record: Received) -> bool:
        scope = self._lines[record.partition.number].scope
        return scope is not None and record.offset >= scope

    async def reached(self, records: Sequence[Received]) -> None:
        """Return once all of these are taken in, or partitions are dealt anew."""
        last = {record.partition.number: record.offset for record in records}
        life = self._life
        async with self._moved:
            await self._moved.wait_for(
                lambda: life != self._life or all(self._has(number, offset) for number, offset in last.items())
            )

    def _has(self, number: int, offset: int) -> bool:
        line = self._lines.get(number)
        return line is not None and line.scope is not None and line.scope <= offset < line.taken

    def outcome(self, record: Received) -> Sequence[Outgoing]:
        """Return what follows from a record that was reached; raises Reject when it could not be read.

        May be asked in any thread.
        """
        found = self._lines[record.partition.number].outcomes.get(record.offset, ())
        if isinstance(found, Reject):
            raise found
        return found

    async def stop(self) -> None:
        """Close."""
        if self._reader is not None:
            await self._reader.stop()
