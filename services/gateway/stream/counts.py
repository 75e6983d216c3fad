"""Tells readers who asked for it how much is unread in their own feeds: once at the beginning, and when that changes.

What happens on the stream says whose counts may have changed; the counts themselves are those of the index, the same
that pages show. So one waits for the index to find what happened, and one person after the other is asked about.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.common import logs
from services.common.clock import Clock, now
from services.common.envelope import rfc3339
from services.common.errors import Reject, Retry, Stop
from services.common.search.conditions import Condition
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.remembered import Remembered, Value
from services.gateway.rules.own import PREFIX as RULES
from services.gateway.stream.connection import Connection
from services.gateway.stream.events import Event
from services.gateway.stream.fanout import may_read
from services.gateway.stream.hub import Hub
from services.gateway.stream.selection import Feed
from services.gateway.stream.streams import Stream, Streams
from services.gateway.unread import INBOX, READ, Unread

_LOOK = 1.0
_PATIENCE = 60.0
"""Seconds that the index is given to find what happened; it is counted then without that."""
_AWAITED = 100
"""Activities of one person that are waited for at most; the newest are found last."""
_JUST_NOW = 200
"""Events before a reader came that the index may not have found yet."""
_TURN = 50
"""Events looked at before others have their turn."""
_AWAY = (Retry, Reject, Stop, TimeoutError)
_log = logs.get(__name__)


@dataclass(slots=True)
class _Due:
    """Somebody whose counts may have changed, what the index has to find first, and when that is given up."""

    until: float
    ids: set[str] = field(default_factory=set)


class Counts:
    """Run ``run`` as a part of the service."""

    def __init__(
        self, unread: Unread, desk: Desk, hub: Hub, streams: Streams, remembered: Remembered, clock: Clock = now
    ) -> None:
        self._unread = unread
        self._desk = desk
        self._hub = hub
        self._streams = streams
        self._clock = clock
        self._next = 0
        self._due: dict[str, _Due] = {}
        self._rules: dict[str, Condition | None] = {}
        remembered.listen(READ, self._changed)
        remembered.listen(RULES, self._changed)

    async def run(self) -> None:
        """For ever: look what happened, and count anew for those whom it concerns."""
        self._next = self._hub.sent
        while True:
            await asyncio.sleep(_LOOK)
            await self.look()

    async def look(self) -> None:
        """Look once; where the index does not answer, the next look tries again."""
        readers = self._streams.counting()
        await self._take_in(readers)
        for person in tuple(self._due):
            try:
                if person in readers:
                    await self._see_to(person, readers[person])
            except _AWAY as error:
                _log.warning("what is unread cannot be counted for now", reason=type(error).__name__)
                return

    def _changed(self, person: str, name: str, value: Value | None) -> None:
        if person in self._rules:  # they read here
            del self._rules[person]
            self._concerns(person)

    def _concerns(self, person: str, activity: str = "") -> None:
        due = self._due.setdefault(person, _Due(asyncio.get_running_loop().time() + _PATIENCE))
        if activity and len(due.ids) < _AWAITED:
            due.ids.add(activity)

    async def _take_in(self, readers: Mapping[str, Sequence[Stream]]) -> None:
        for person in (self._due.keys() | self._rules.keys()) - readers.keys():
            self._due.pop(person, None)
            self._rules.pop(person, None)
        fresh = {one: streams for one, streams in readers.items() if any(not stream.told for stream in streams)}
        for person in fresh:
            self._concerns(person)
        ring, start, end = self._hub.ring, self._next, self._hub.sent
        self._next = end
        if start < ring.first:  # more has happened than it holds
            for person in readers:
                self._concerns(person)
        await self._notice(ring.slice(start - _JUST_NOW, start), fresh)
        await self._notice(ring.slice(start, end), readers)

    async def _notice(self, events: Sequence[Event], readers: Mapping[str, Sequence[Stream]]) -> None:
        """Note whose counts events may change."""
        asking = {one: rules for one in readers if (rules := self._rules_of(one)) is not None}
        following = [(c.selection, one) for one, streams in readers.items() for c in _following(streams)]
        for number, event in enumerate(events if readers else (), start=1):
            if number % _TURN == 0:
                await asyncio.sleep(0)
            made = event.current(self._hub.access)
            if made is None:
                continue
            about = made.facts.values["mention"] & readers.keys()
            about |= {one for one, rules in asking.items() if made.facts.hold(rules)}
            about |= {one for selection, one in following if selection.names(made.facts)}
            for one in about:
                if may_read(self._hub.access, made, readers[one][0].asker.principals, one):
                    self._concerns(one, event.record.key)

    def _rules_of(self, person: str) -> Condition | None:
        """Return what somebody's rules notify them of; None where they have no such rules."""
        if person not in self._rules:
            self._rules[person] = self._unread.notifying(person)
        return self._rules[person]

    async def _see_to(self, person: str, streams: Sequence[Stream]) -> None:
        """Count for somebody, once the index has found what happened, and tell their readers."""
        due, asker = self._due[person], streams[0].asker
        if due.ids and asyncio.get_running_loop().time() < due.until and not await self._desk.finds_all(asker, due.ids):
            return
        del self._due[person]  # before it is counted: what happens meanwhile is counted again
        try:
            counts = await self._counts(asker, following=bool(_following(streams)))
        except _AWAY:
            self._concerns(person)
            raise
        for stream in streams:
            stream.tell(counts, rfc3339(self._clock()))

    async def _counts(self, asker: Asker, *, following: bool) -> dict[str, int]:
        """Return how much is unread by feed; in the ``inbox``, what is in both of its feeds counts once."""
        wanted: dict[str, Sequence[Feed]] = {"mentions": ("mentions",)}
        if self._rules_of(asker.person):
            wanted |= {"notifications": ("notifications",), "inbox": INBOX}
        if following:
            wanted["following"] = ("following",)
        found = dict(zip(wanted, await self._unread.counts(asker, list(wanted.values())), strict=True))
        return {"inbox": found["mentions"], "notifications": 0} | found


def _following(streams: Sequence[Stream]) -> list[Connection]:
    return [stream.connections["following"] for stream in streams if "following" in stream.connections]
