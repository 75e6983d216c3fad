"""All live streams of this process: how long they live, whether their readers still may read, and how they end."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.common import metrics
from services.gateway.auth import Asker
from services.gateway.remembered import Remembered, Value
from services.gateway.stream import sets, wire
from services.gateway.stream.connection import Connection
from services.gateway.stream.hub import Hub
from services.gateway.stream.selection import Selection

Again = Callable[[Asker], Asker | None]
"""Returns who somebody is now: with other principals, or None where they may not read any more."""
_LOOK = 1.0
"""Seconds between two looks whether readers are who they were."""
_STEP = 0.05
_LAST = 1.0
"""Seconds that readers are given to take what was written last."""
_SILENT = frozenset({"gone", "slow"})
_PACE = 200
"""Streams ended in a second of draining, at least: a few readers need not wait for the whole of it."""


@dataclass(slots=True, eq=False)
class Stream:
    """One reader's stream: a connection for each feed. ``name`` is that of its set, empty where it has none."""

    asker: Asker
    connections: Mapping[str, Connection]
    hubs: Mapping[str, Hub]
    name: str = ""
    asked: Callable[[], Mapping[str, Selection]] = dict
    """Returns what is asked of each feed now."""
    changes: bool = False
    """What is asked changes by itself: with what the reader follows and mutes."""
    counts: bool = False
    """The reader wants to know how much is unread."""
    told: Mapping[str, int] = field(default_factory=dict)
    """What they were told of that last."""
    until: float = float("inf")
    """When its life ends, by the loop's clock."""

    def end(self, why: str) -> None:
        """End it: nothing is given from here on, not even what is on its way to be sent."""
        for feed, connection in self.connections.items():
            connection.end(why)
            self.hubs[feed].leave(connection)

    def become(self, asker: Asker) -> None:
        """Go on as the same reader with other principals."""
        self.asker = asker
        for connection in self.connections.values():
            connection.asker = asker

    def renew(self) -> None:
        """Ask for what is asked now, without losing the place."""
        for feed, selection in self.asked().items():
            if self.connections[feed].selection != selection:
                self.hubs[feed].select(self.connections[feed], selection)

    @property
    def first(self) -> Connection:
        """Any of its connections: they share the transport and the end."""
        return next(iter(self.connections.values()))

    def place(self) -> str:
        """Return the id of where it is."""
        return self.first.place() + self.first.suffix()

    def close(self, ended: "asyncio.Future[str]") -> None:
        """Say why it has ended, where that can still be said, and close the connection."""
        self.end(ended.result())
        transport, why = self.first.transport, ended.result()
        if not transport.is_closing():
            if why not in _SILENT:
                self.first.send(wire.goodbye(self.first.form, why, _later()))
            if self.first.chunked:
                transport.write(wire.LAST_CHUNK)
            transport.close()

    def tell(self, counts: Mapping[str, int], at: str) -> None:
        """Say how much is unread by feed, where that is new to the reader; ``at`` is when it was counted."""
        if counts != self.told:
            self.told = counts
            self.first.send(wire.aside(self.first.form, "unread", {**counts, "at": at}))

    def select(self, subscriptions: sets.Subscriptions) -> None:
        """Read other subscriptions from now on, and say so."""
        self.changes = sets.follows(subscriptions)
        self.renew()
        self.first.send(wire.said(self.first.form, self.place(), "subscriptions", subscriptions))


def _later() -> int:
    return random.randint(1000, 5000)  # noqa: S311 - spreads readers, guards nothing


class Streams:
    """Run ``watch`` as a part of the service; ``drain`` before it ends."""

    def __init__(self, again: Again, remembered: Remembered, *, seconds: float) -> None:
        self._again = again
        self._seconds = seconds
        self._open: set[Stream] = set()
        self.closing = False
        remembered.listen(sets.PREFIX, self._changed)

    def __len__(self) -> int:
        return len(self._open)

    def life(self) -> int:
        """Return how many seconds a stream that begins now may live: not all of them the same."""
        return max(1, round(self._seconds * random.uniform(0.9, 1.0)))  # noqa: S311 - spreads, guards nothing

    def opened(self, stream: Stream, life: float) -> None:
        """Keep a stream among those that are open; it ends when its life (seconds) does."""
        stream.until = asyncio.get_running_loop().time() + life
        self._open.add(stream)
        metrics.STREAM_READERS.set(len(self._open))
        if self.closing:  # it came in while the others were ended
            stream.end("drain")

    def gone(self, stream: Stream) -> None:
        """Forget a stream whose connection is closed; it is the same when it was forgotten before."""
        stream.end("gone")
        self._open.discard(stream)
        metrics.STREAM_READERS.set(len(self._open))

    def forget_gone(self) -> None:
        """Let go of readers that are gone now, and not when the next heartbeat notices."""
        for stream in tuple(self._open):
            if any(connection.transport.is_closing() for connection in stream.connections.values()):
                stream.end("gone")

    def counting(self) -> dict[str, list[Stream]]:
        """Return the streams whose readers want to know how much is unread, by person."""
        found: dict[str, list[Stream]] = {}
        for stream in self._open:
            if stream.counts:
                found.setdefault(stream.asker.person, []).append(stream)
        return found

    async def watch(self) -> None:
        """For ever: end the streams of who may not read any more, and let the others be who they are now."""
        while True:
            await asyncio.sleep(_LOOK)
            self.look()

    def look(self) -> None:
        """Look once."""
        now: dict[Asker, Asker | None] = {}
        at = asyncio.get_running_loop().time()
        for stream in tuple(self._open):
            asker = stream.asker
            if asker not in now:
                found = self._again(asker)
                now[asker] = asker if found == asker else found
            found = now[asker]
            if found is None:
                stream.end("revoked")
            elif stream.until <= at:
                stream.end("life")
            elif found is not asker:  # those who are the same share what says who they are
                stream.become(found)
            if stream.changes:
                stream.renew()

    def _changed(self, person: str, name: str, value: Value | None) -> None:
        subscriptions = sets.subscriptions_of(value)
        for stream in tuple(self._open):
            if (stream.asker.person, stream.name) == (person, name):
                if subscriptions is None:
                    stream.end("removed")
                else:
                    stream.select(subscriptions)

    async def drain(self, seconds: float) -> None:
        """End all streams, spread over some seconds, so that the readers do not all come back at once."""
        self.closing = True
        left = sorted(self._open, key=id)
        random.shuffle(left)
        share = max(round(_PACE * _STEP), -(-len(left) // max(1, round(seconds / _STEP))))
        while left:
            for stream in left[:share]:
                stream.end("drain")
            del left[:share]
            await asyncio.sleep(_STEP)
        ends = asyncio.get_running_loop().time() + _LAST
        # What was written last is on its way; there are too many for an event each.
        while self._open and asyncio.get_running_loop().time() < ends:  # noqa: ASYNC110
            await asyncio.sleep(_STEP)
