"""The history that recommending looks back on, read from the tail of ``enriched.v1``: every partition, in every worker.

Who scores an activity waits until the history has got past it, so that "what was there before" is the same for one
worker and for ten. (Faust reads records of open transactions too; this reader does not, so the wait is also for the
commit.)
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from services.common import envelope, logs, topics
from services.common.bus import Bus, Partition, Reader, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EVERY_VERSION, ActivityType, Enriched
from services.common.records import enriched_in
from services.enrich.scoring.past import History, key_of

_BATCH = 500
_log = logs.get(__name__)


class Followed:
    """Feeds a history. ``load`` first, then run ``follow``; ``executor`` has one thread, which alone touches it."""

    def __init__(self, bus: Bus, history: History, executor: Executor, tail: int = 120_000) -> None:
        self.history = history
        self._bus = bus
        self._executor = executor
        self._tail = tail
        self._topic = topics.ENRICHED.name(bus.prefix)
        self._codec = Codec("enriched")
        self._reader: Reader | None = None
        self._reached: dict[int, int] = {}
        self._moved = asyncio.Condition()

    async def load(self) -> None:
        """Read the tail up to what is there now."""
        self._reader = reader = await self._bus.reader()
        bounds = await reader.bounds(self._topic)
        each = self._tail // len(bounds)
        await reader.start_at({p: max(first, end - each) for p, (first, end) in bounds.items()})
        while any(self._reached.get(p.number, -1) < end for p, (_, end) in bounds.items()):
            await self._step(reader, list(bounds), wait=0.2)

    async def follow(self) -> None:
        """Go on for ever."""
        reader = self._reader
        assert reader is not None, "load first"
        partitions = list(await reader.bounds(self._topic))
        while True:
            await self._step(reader, partitions, wait=0.5)

    async def _step(self, reader: Reader, partitions: list[Partition], *, wait: float) -> None:
        records = await reader.poll(limit=_BATCH, wait=wait)
        if records:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._take, records)
        async with self._moved:
            # The position counts, not the last record: what ends a transaction is a record that nobody is given.
            for partition in partitions:
                self._reached[partition.number] = await reader.position(partition)
            self._moved.notify_all()

    async def passed(self, partition: int, offset: int) -> None:
        """Return once everything up to this offset of a partition is in the history."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._reached.get(partition, -1) > offset)

    async def stop(self) -> None:
        """Close."""
        if self._reader is not None:
            await self._reader.stop()

    def _take(self, records: Sequence[Received]) -> None:
        for record in records:
            try:
                one = decode(self._codec, record)
            except Reject as error:
                _log.error("record of enriched.v1 cannot be read", offset=record.offset, reason=str(error))
                continue
            if one is None:
                continue
            if gone(one, record):
                self.history.withdraw(key_of(one))
            else:
                self.history.add(one)


def decode(codec: Codec, record: Received) -> Enriched | None:
    """Return the enriched activity; None for a tombstone. Raises Reject."""
    if record.value is None:
        return None
    try:
        return enriched_in(codec.decode(record.value))
    except ValueError as error:
        raise Reject(f"enriched: {error}") from error


def gone(one: Enriched, record: Received) -> bool:
    """Return whether the record says that the object's text is withdrawn."""
    activity = one.activity
    return (
        envelope.REDACTED in record.headers
        or EVERY_VERSION in activity.withdraws
        or activity.type is ActivityType.DELETE
    )
