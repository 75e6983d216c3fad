"""The one reader of a topic in this process: fills the ring and hands new events on, joined when there are many."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic, time

from services.common import logs, metrics
from services.common.access import AccessView
from services.common.bus import Bus, Partition, Reader, Received
from services.common.errors import Retry
from services.common.model import micros
from services.gateway.stream import wire
from services.gateway.stream.connection import Connection
from services.gateway.stream.events import Event, Maker
from services.gateway.stream.fanout import Fanout
from services.gateway.stream.position import Position, mark_of, packed
from services.gateway.stream.ring import Ring
from services.gateway.stream.selection import Selection

TICK = 0.01
"""Seconds between two writes to a reader under load."""
_GATHER = 0.005
"""Seconds at most that a flush to many readers waits for what was published together with its first event.

Kafka gives that per partition, one after the other: one write to each reader instead of two is worth the wait.
"""
_NOTHING = 0.0002
"""Seconds that are not worth a timer."""
_BEGIN = 5_000
"""Records read from before the end at start, so that readers who come back after a restart find theirs in memory."""
_POLL = 500
_HEARTBEAT = 15
_PATIENCE = 60.0
_SAME = 30.0
"""Seconds between two looks whether the topic is still the same one."""

_log = logs.get(__name__)


class Hub:
    """``load`` first, then run ``follow`` and ``beat`` as parts of the service."""

    def __init__(self, bus: Bus, topic: str, maker: Maker, access: AccessView, *, ring: Ring | None = None) -> None:
        self.topic = topic
        self.bus = bus
        self.maker = maker
        self.access = access
        self.readers = Fanout(access, self.identify)
        self.replaying: set[Connection] = set()
        self.ring = ring or Ring(())
        self.mark = b""
        self.flushed = asyncio.Event()
        """Set, and made anew, whenever readers at the head have been given all that there is."""
        self.closing = False
        self._incarnation = ""
        self._reader: Reader | None = None
        self._pending: list[Event] = []
        self._sent = 0
        self._sent_position: tuple[int, ...] = ()
        self._sent_at = 0.0
        self._pause = TICK
        self._gather = 0.0
        self._flushing: asyncio.TimerHandle | None = None
        self._unknown: dict[str, float] = {}
        self._knowing: asyncio.Task[None] | None = None
        self._place = self.place  # one for all readers

    async def load(self) -> None:
        """Find the topic and read its newest records. Raises Retry when the topic or Kafka is missing."""
        self._incarnation = await self._ask_incarnation()
        self.mark = mark_of(self.topic, self._incarnation)
        self._reader = reader = await self.bus.reader()
        bounds = await reader.bounds(self.topic)
        back = max(1, _BEGIN // max(1, len(bounds)))
        start = {p: max(first, end - back) for p, (first, end) in bounds.items()}
        self.ring.since = self.ring.position = tuple(start[Partition(self.topic, n)] for n in range(len(start)))
        await reader.start_at(start)
        ends = {p: end for p, (_, end) in bounds.items()}
        while await self._behind(ends):
            self._append(self._events(await reader.poll(limit=_POLL, wait=0.2)))
        self._sent, self._sent_position = self.ring.end, self.ring.position

    async def _ask_incarnation(self) -> str:
        admin = await self.bus.admin()
        try:
            return await admin.incarnation(self.topic)
        finally:
            await admin.stop()

    async def _behind(self, ends: Mapping[Partition, int]) -> bool:
        assert self._reader is not None, "load first"
        return any([await self._reader.position(p) < end for p, end in ends.items()])

    def _events(self, records: Sequence[Received]) -> list[Event]:
        after = list(self.ring.position)
        events = []
        for record in records:
            after[record.partition.number] = record.offset + 1
            events.append(Event(record, tuple(after), self.maker))
        return events

    def _append(self, events: Sequence[Event]) -> None:
        for event in events:
            self.ring.append(event)

    async def follow(self) -> None:
        """Read for ever; a broker that is away for a while is waited for."""
        assert self._reader is not None, "load first"
        failing_since: float | None = None
        looked = monotonic()
        while True:
            try:
                records = await self._reader.poll(limit=_POLL, wait=1.0)
                failing_since = None
                if monotonic() - looked > _SAME:
                    looked = monotonic()
                    await self._still_the_same()
            except Retry as error:
                failing_since = failing_since or monotonic()
                if monotonic() - failing_since > _PATIENCE:
                    raise
                _log.warning("the stream waits for Kafka", reason=str(error))
                await asyncio.sleep(1)
                continue
            if records:
                await self._arrived(records)

    async def _still_the_same(self) -> None:
        if await self._ask_incarnation() != self._incarnation:
            self.close("incarnation")
            raise Retry(f"topic {self.topic} was deleted and made again; starting anew")

    async def _arrived(self, records: Sequence[Received]) -> None:
        events = self._events(records)
        if self.readers:
            await self._learn_access(events)  # first: what is in the ring may be sent at any moment
        self._append(events)
        self._pending += events
        if self._flushing is None:
            left = max(self._gather, self._sent_at + self._pause - monotonic())
            if left < _NOTHING:
                self._flush()
            else:
                self._flushing = asyncio.get_running_loop().call_later(left, self._flush)

    async def _learn_access(self, events: Sequence[Event]) -> None:
        """Wait for access records of places that are not known yet: they were published before the activities."""
        now = monotonic()
        unknown = {
            one.container
            for one in (event.made for event in events)
            if one and self.access.get(one.container) is None and now - self._unknown.get(one.container, -9e9) > 1
        }
        if unknown:
            await _caught_up(self.access)
            if len(self._unknown) > 10_000:
                self._unknown.clear()
            self._unknown |= dict.fromkeys(unknown, now)

    def _flush(self) -> None:
        self._flushing = None
        began = monotonic()
        # Not from the ring: a burst may be larger than all that it holds.
        events, self._pending = self._pending, []
        self._sent, self._sent_position = self.ring.end, self.ring.position
        if self.readers:
            self.readers.send(events)
            for event in events:
                if event.made:
                    metrics.FRESHNESS.labels("stream").observe(max(0.0, time() - event.made.recorded / 1e6))
        self.flushed.set()
        self.flushed = asyncio.Event()
        self._sent_at = monotonic()
        # Many readers make a flush long: then joining longer keeps the loop free for everything else.
        took = self._sent_at - began
        self._pause = min(0.1, max(TICK, 2 * took))
        self._gather = min(_GATHER, took / 4)

    @property
    def sent(self) -> int:
        """Number of the event that readers at the head are given next."""
        return self._sent

    def identify(self, event: Event) -> str:
        """Return the id of the position behind an event."""
        return packed(self.mark, event.after)

    def position(self) -> Position:
        """Return where readers at the head are; the ring may hold a little more already."""
        return Position(self.mark, self._sent_position)

    def place(self) -> str:
        """Return the id of where readers at the head are."""
        return self.position().text()

    def select(self, connection: Connection, selection: Selection) -> None:
        """Let a reader ask for something else from now on, without losing its place."""
        joined = connection in self.readers
        self.readers.remove(connection)
        connection.selection = selection
        if joined:
            self.readers.add(connection)

    async def know_access(self) -> None:
        """Wait for access records before old events are given; many who come at once wait together."""
        if self._knowing is None or self._knowing.done():
            self._knowing = asyncio.create_task(_caught_up(self.access))
        await asyncio.shield(self._knowing)

    async def since(self, at: datetime) -> Position:
        """Return the position behind all that was stored before a time."""
        assert self._reader is not None, "load first"
        found = await self._reader.offsets_at(self.topic, micros(at) // 1000)
        return Position(self.mark, tuple(found[Partition(self.topic, n)] for n in range(len(found))))

    async def earliest(self) -> Position:
        """Return the position before all that is kept."""
        return Position(self.mark, tuple(first for first, _ in await self.bounds()))

    async def bounds(self) -> list[tuple[int, int]]:
        """Return per partition the first offset kept and the end."""
        assert self._reader is not None, "load first"
        found = await self._reader.bounds(self.topic)
        return [found[Partition(self.topic, n)] for n in range(len(found))]

    def join(self, connection: Connection) -> None:
        """Take a reader to the head; it must have been given all before ``sent``."""
        connection.place = self._place
        self.readers.add(connection)

    def leave(self, connection: Connection) -> None:
        """Let a reader at the head go."""
        self.readers.remove(connection)

    async def beat(self) -> None:
        """For ever: give every reader a heartbeat in its turn, and notice those that are gone."""
        tick = 0
        while True:
            await asyncio.sleep(1)
            tick += 1
            self._beat(tick)

    def _beat(self, tick: int) -> None:
        place = self.place()
        for number, connection in enumerate(self.readers):
            if connection.transport.is_closing():
                connection.end("gone")
            elif (number + tick) % _HEARTBEAT == 0:
                connection.send(wire.heartbeat(connection.form, place + connection.suffix()))

    def close(self, why: str) -> None:
        """End all streams at once and take no more; each reader is told when to come back."""
        self.closing = True
        for connection in (*self.readers, *self.replaying):
            connection.end(why)

    async def stop(self) -> None:
        """Close the reader."""
        if self._flushing is not None:
            self._flushing.cancel()
        if self._reader is not None:
            await self._reader.stop()


async def _caught_up(access: AccessView, *, patience: float = 10.0) -> None:
    """Wait until the view of access holds all that was published, for so many seconds at most.

    What is still unknown then is nobody's: a reader may miss an event, and never gets one too many.
    """
    try:
        async with asyncio.timeout(patience):
            await access.caught_up()
    except TimeoutError:
        _log.warning("access records come late; what they are about is kept from everybody until then")
