"""Views: a compacted topic held in memory, loaded to its end at start and followed from there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.common import logs
from services.common.bus import Bus, Partition, Reader, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.topics import Topic

_log = logs.get(__name__)
_BATCH = 1_000
"""Records applied at one go: the event loop waits as long."""


class View:
    """Feeds a topic's records, from the first one kept on, to ``apply``; ``unhurried``, see ``Bus``."""

    def __init__(self, bus: Bus, topic: str, apply: Callable[[Received], None], *, unhurried: bool = False) -> None:
        self._unhurried = unhurried
        self._bus = bus
        self._topic = topic
        self._apply = apply
        self._reader: Reader | None = None
        self.loaded: Mapping[Partition, int] = {}
        """The end of each partition when loading began, known from then on: what comes behind it is news."""

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        self._reader = reader = await self._bus.reader(unhurried=self._unhurried)
        bounds = await reader.bounds(self._topic)
        self.loaded = {partition: end for partition, (_, end) in bounds.items()}
        await reader.start_at({partition: first for partition, (first, _) in bounds.items()})
        while await self._behind(reader, self.loaded):
            await self._step(reader, wait=0.2)

    async def _behind(self, reader: Reader, ends: Mapping[Partition, int]) -> bool:
        for partition, end in ends.items():
            if await reader.position(partition) < end:
                return True
        return False

    async def _step(self, reader: Reader, *, wait: float) -> None:
        for record in await reader.poll(limit=_BATCH, wait=wait):
            self._apply(record)

    async def follow(self) -> None:
        """Go on reading for ever; ``load`` first."""
        if self._reader is None:
            await self.load()
        reader = self._reader
        assert reader is not None
        while True:
            await self._step(reader, wait=1.0)

    async def caught_up(self) -> None:
        """Return once all that the topic held at the time of the call has been applied; ``follow`` must be running."""
        assert self._reader is not None, "load first"
        bounds = await self._reader.bounds(self._topic)
        await self._until(self._reader, {p: end for p, (_, end) in bounds.items()})

    async def reached(self, offsets: Sequence[int]) -> None:
        """Return once all before these offsets, one a partition, has been applied; Kafka is asked nothing."""
        assert self._reader is not None, "load first"
        await self._until(self._reader, {Partition(self._topic, n): offset for n, offset in enumerate(offsets)})

    async def _until(self, reader: Reader, ends: Mapping[Partition, int]) -> None:
        while await self._behind(reader, ends):  # noqa: ASYNC110 - the reader tells nobody
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Close the reader."""
        if self._reader is not None:
            await self._reader.stop()


class DecodedView(View):
    """A view whose records are decoded and given to ``take``. One that cannot be read is logged, and left out."""

    absent = False
    """Whether a record that cannot be read counts as none instead, so that what was before it stands no more."""

    def __init__(self, bus: Bus, topic: Topic, *, unhurried: bool = False) -> None:
        super().__init__(bus, topic.name(bus.prefix), self._decode, unhurried=unhurried)
        self._codec = Codec(topic.schema)

    def _decode(self, received: Received) -> None:
        try:
            record = self._codec.decode(received.value) if received.value is not None else None
        except Reject as error:
            what = "counts as absent" if self.absent else "is left out"
            where = {"topic": received.partition.topic, "id": received.key}
            _log.error(f"record cannot be read and {what}", **where, reason=str(error))
            if self.absent:
                self.take(received, None)
        else:
            self.take(received, record)

    def take(self, received: Received, record: dict[str, Any] | None) -> None:
        """Take a record, or a tombstone (None)."""
        raise NotImplementedError
