"""Reads enriched activities and has them written; commits what is done; never waits where it should poll."""

import asyncio
from collections.abc import Mapping
from time import monotonic

from services.common import logs, metrics, topics
from services.common.bus import Bus, Consumer, Partition, Received
from services.common.clock import Clock, now
from services.common.errors import Retry
from services.indexer.tracker import Offsets
from services.indexer.writer import Entry, Writer

_log = logs.get(__name__)
_MOST_AT_ONCE = 500
_SHORT = 0.05
"""Seconds to poll while partitions are paused: polling keeps the membership, and room may come at any time."""
_SHORTEST, _LONG = 0.01, 0.5
_COMMIT_EVERY = 1.0
_MEASURE_EVERY = 5.0


def group(prefix: str) -> str:
    """Return the name of the consumer group."""
    return f"{prefix}indexer"


class Indexer:
    """A member of the indexer's group. ``run`` until cancelled, then ``stop``."""

    def __init__(self, bus: Bus, writer: Writer, *, name: str = "", drain: float = 10.0, clock: Clock = now) -> None:
        self._bus = bus
        self._group = name or group(bus.prefix)
        self._writer = writer
        self._drain = drain
        self._clock = clock
        self._topic = topics.ENRICHED.name(bus.prefix)
        self._offsets: dict[Partition, Offsets] = {}
        self._paused: frozenset[Partition] = frozenset()
        self._consumer: Consumer | None = None
        self._commit_at = 0.0

    async def start(self) -> None:
        """Join the group; raises Retry when Kafka does not answer."""
        self._consumer = await self._bus.consumer(
            [self._topic], self._group, on_assigned=self._assigned, on_revoked=self._revoked
        )

    async def run(self) -> None:
        """Index for ever; raises Stop or Retry when that cannot go on."""
        consumer = self._joined()
        while True:
            self._flow(consumer)
            wait = _SHORT if self._paused else min(_LONG, max(_SHORTEST, self._writer.wait()))
            for record in await consumer.poll(limit=max(1, min(_MOST_AT_ONCE, self._writer.room)), wait=wait):
                self._take(record)  # at once: between poll and here no partition can have been revoked
            self._writer.pump()
            if self._writer.failure is not None:
                raise self._writer.failure
            if monotonic() >= self._commit_at:
                await self._commit(consumer, self._offsets)

    async def measure(self) -> None:
        """Keep the measures of lag up to date, for ever."""
        consumer = self._joined()
        while True:
            await asyncio.sleep(_MEASURE_EVERY)
            try:
                lags = await consumer.lag()
            except Retry as error:
                _log.warning("the lag cannot be measured for now", reason=str(error))
                continue
            for partition, lag in lags.items():
                metrics.LAG_RECORDS.labels("indexer", partition.topic, str(partition.number)).set(lag)

    async def stop(self) -> None:
        """Finish what is under way within bounds, store the offsets and leave the group."""
        if self._consumer is not None:
            await self._revoked(frozenset(self._offsets))
            await self._writer.stop()
            await self._consumer.stop()

    def _joined(self) -> Consumer:
        assert self._consumer is not None, "start first"
        return self._consumer

    def _flow(self, consumer: Consumer) -> None:
        """Pause all partitions while there is no room, instead of waiting for it."""
        assigned = consumer.assignment()
        if self._writer.room <= 0:
            if fresh := assigned - self._paused:
                consumer.pause(fresh)
            self._paused = assigned
        elif self._paused:
            consumer.resume(self._paused & assigned)
            self._paused = frozenset()

    def _take(self, record: Received) -> None:
        offsets = self._offsets.setdefault(record.partition, Offsets())
        offsets.taken(record.offset)

        def done() -> None:
            offsets.done(record.offset)
            # An empty or unreadable record has no time of its own to be judged by: the broker's serves all.
            metrics.LAG_SECONDS.labels("indexer", self._topic).set(self._clock().timestamp() - record.timestamp / 1000)

        self._writer.add(Entry(record=record, done=done))

    async def _commit(self, consumer: Consumer, of: Mapping[Partition, Offsets]) -> None:
        self._commit_at = monotonic() + _COMMIT_EVERY
        ready = {p: offset for p, offsets in of.items() if (offset := offsets.to_commit()) is not None}
        if not ready:
            return
        try:
            await consumer.commit(ready)
        except Retry as error:
            # The group may have moved on, or Kafka be away: what was written is written, and is read again at worst.
            _log.warning("offsets were not stored; they will be later", reason=str(error))
            return
        for partition, offset in ready.items():
            if partition in of:
                of[partition].committed(offset)

    async def _assigned(self, partitions: frozenset[Partition]) -> None:
        self._offsets = {**self._offsets, **{p: Offsets() for p in partitions}}
        self._paused -= partitions

    async def _revoked(self, partitions: frozenset[Partition]) -> None:
        """Drop what is only gathered, finish what is under way within bounds, and store how far that came."""
        gone = {p: self._offsets.pop(p) for p in partitions if p in self._offsets}
        self._writer.drop(partitions)
        await self._writer.drain(self._drain)
        if self._consumer is not None:
            await self._commit(self._consumer, gone)
