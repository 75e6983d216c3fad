"""Bringing a reader from an old position to the head: from the ring where it reaches back, else from Kafka.

Each event carries the reader's own position: its order differs from the ring's until it has caught up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic

from services.common.bus import Partition, Received
from services.gateway.stream import wire
from services.gateway.stream.connection import Connection
from services.gateway.stream.events import Event
from services.gateway.stream.fanout import may_read
from services.gateway.stream.hub import Hub
from services.gateway.stream.position import Position, Shown, packed

FARTHEST = 1_000_000
"""Records that a reader may be behind; farther back a reset is told instead."""
AT_ONCE = 8
"""Replays from Kafka at the same time in one process; others wait for their turn."""
_TURN = 10.0
"""Seconds after which a replay from Kafka lets those go on that wait: slow readers must not keep all others out."""
_STEP = 200
_LOOK = 1.0
"""Seconds between two looks whether a reader who waits is still there."""

Write = Callable[[bytes], Awaitable[None]]


class Lost(Exception):
    """The position cannot be gone on from; the text is the reason given to the reader."""


async def check(hub: Hub, position: Position, shown: Shown = frozenset()) -> None:
    """Return when the position can be gone on from, though this process may not have read as far; raises Lost."""
    if position.mark != hub.mark or len(position.offsets) != len(hub.ring.position):
        raise Lost("incarnation")
    if any(partition >= len(position.offsets) for partition, _ in shown):
        raise Lost("incarnation")
    ahead = _behind(position.offsets, shown)
    if not hub.position().covers(ahead) and not covers([end for _, end in await hub.bounds()], ahead):
        raise Lost("past-the-end")
    if covers(position.offsets, hub.ring.since):
        return
    bounds = await hub.bounds()
    if any(offset < first for offset, (first, _) in zip(position.offsets, bounds, strict=True)):
        raise Lost("expired")
    if sum(map(int.__sub__, hub.position().offsets, position.offsets)) > FARTHEST:
        raise Lost("too-far")


def covers(offsets: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether each offset is at or behind the other's."""
    return all(mine >= its for mine, its in zip(offsets, other, strict=True))


def _behind(offsets: Sequence[int], shown: Shown) -> tuple[int, ...]:
    """Return the offsets behind both a position and the records that are known already."""
    found = list(offsets)
    for partition, offset in shown:
        found[partition] = max(found[partition], offset + 1)
    return tuple(found)


class Replay:
    """One reader on its way to the head."""

    def __init__(self, hub: Hub, connection: Connection, start: Position, write: Write, turns: asyncio.Semaphore):
        self._hub = hub
        self._connection = connection
        self._at = list(start.offsets)
        self._write = write
        self._turns = turns
        connection.place = self.place

    def place(self) -> str:
        """Return the id of where the reader is."""
        return packed(self._hub.mark, self._at)

    async def run(self) -> bool:
        """Give all before the head, then join it: nothing comes between. Returns whether it got there."""
        hub = self._hub
        await self._head_is_behind()
        if not covers(self._at, hub.position().offsets):
            await hub.know_access()
        while not self._connection.gone:
            if covers(self._at, hub.position().offsets):
                hub.join(self._connection)
                return True
            if covers(self._at, hub.ring.since):
                await self._from_ring()
            else:
                async with self._turns:
                    await self._from_kafka()
        return False

    async def _head_is_behind(self) -> None:
        """Wait for a head that another process has seen already, and that is behind what the reader knows already.

        The stream is open meanwhile: a browser that was refused would not try again.
        """
        ahead = _behind(self._at, self._connection.shown)
        while not self._hub.position().covers(ahead) and not self._connection.gone:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._hub.flushed.wait()

    async def _from_ring(self) -> None:
        """Give what the ring holds up to the head, or as far as it still reaches back."""
        ring = self._hub.ring
        number = ring.start_for(self._at)
        while ring.first <= number < self._hub.sent and not self._connection.gone:
            events = ring.slice(number, min(number + _STEP, self._hub.sent))
            number += len(events)
            blocks = [block for event in events for block in self._blocks(event)]
            if blocks:
                await self._write(b"".join(blocks))
            else:
                await asyncio.sleep(0)

    def _blocks(self, event: Event) -> list[bytes]:
        if event.offset < self._at[event.partition]:
            return []
        self._at[event.partition] = event.offset + 1
        connection = self._connection
        made = event.current(self._hub.access)
        if made is None or (event.partition, event.offset) in connection.shown:
            return []
        asker = connection.asker
        names = connection.selection.names(made.facts)
        if not names or not may_read(self._hub.access, made, asker.principals, asker.person):
            return []
        return [wire.event(connection.form, self.place() + connection.suffix(), made, names)]

    async def _from_kafka(self) -> None:
        """Read what lies between the position and the head, by a reader of its own; as far as its turn reaches."""
        hub, until = self._hub, monotonic() + _TURN
        target = hub.position().offsets  # not the ring's end: what lies behind the head is still to be sent to all
        todo = {Partition(hub.topic, n): offset for n, offset in enumerate(self._at) if offset < target[n]}
        reader = await hub.bus.reader()
        try:
            await reader.start_at(todo)
            while todo and not self._connection.gone:
                records = await reader.poll(limit=_STEP, wait=1.0)
                await self._give([one for one in records if one.offset < target[one.partition.number]])
                for partition in tuple(todo):
                    if await reader.position(partition) >= target[partition.number]:
                        self._at[partition.number] = max(self._at[partition.number], target[partition.number])
                        del todo[partition]
                if self._turns.locked() and monotonic() > until:
                    return
        finally:
            await reader.stop()

    async def _give(self, records: Sequence[Received]) -> None:
        blocks = [block for one in records for block in self._blocks(Event(one, (), self._hub.maker))]
        if not blocks:
            # Filtered out whole: the position must move on all the same.
            blocks = [wire.cursor(self._connection.form, self.place() + self._connection.suffix())]
        await self._write(b"".join(blocks))
