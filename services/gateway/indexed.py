"""From which position a page of the index can be gone on live without a gap.

The index runs behind the log. So a page is followed from before the oldest event that the asker may read and that the
index does not find yet; what comes behind that and stands on the page already is named in the id, to be passed over.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from itertools import chain, repeat
from typing import Any

from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.filters import Filters
from services.gateway.stream.events import Event
from services.gateway.stream.fanout import may_read
from services.gateway.stream.hub import Hub
from services.gateway.stream.position import Position, Shown, start_of, with_shown

_WINDOWS = (8, 32, 128, 512, 1_000)
"""How many events are asked for at a time, from the newest back; the last number again and again."""
_SLICE = 100
"""Events looked at before others get a turn on the event loop: each is decoded when it is looked at first."""
_REMEMBERED = 2_000
"""Askers and filters of whom it is remembered what was found."""


class Indexed:
    """Knows how far the index has come, by asking it of what it has not found before."""

    def __init__(self, hub: Hub, desk: Desk) -> None:
        self._hub = hub
        self._desk = desk
        self._found: OrderedDict[Hashable, int] = OrderedDict()

    async def before(self, asker: Asker, filters: Filters, carried: str) -> tuple[Position, Shown]:
        """Return where to go on from, before the page is asked for: as an earlier page said, else by the index.

        Raises NotAPosition for what no page said, and what the search port raises.
        """
        return start_of(carried) if carried else (await self.position(asker, filters), frozenset())

    def behind(self, place: tuple[Position, Shown], items: Iterable[Mapping[str, Any]]) -> str:
        """Return the id to go on live from behind a page with these items."""
        position, shown = place
        if position.mark != self._hub.mark:
            return position.text()
        listed = {item["id"] for item in items}
        ring = self._hub.ring
        events = ring.slice(ring.start_for(position.offsets), ring.end)
        times = Counter(event.record.key for event in events)
        # What comes twice is a change of the same activity, or takes its content back: that has to be given.
        known = {
            (event.partition, event.offset)
            for event in events
            if event.record.key in listed
            and times[event.record.key] == 1
            and event.made
            and not event.made.kind
            and event.offset >= position.offsets[event.partition]
        }
        return with_shown(position, shown | known)

    async def position(self, asker: Asker, filters: Filters) -> Position:
        """Return where to go on from; ask before the page is made. Raises what the search port raises."""
        number = self._hub.ring.end
        # Who may open what is part of it: what was opened since may not be found yet.
        key = (asker.person, asker.principals, filters, self._hub.mark, tuple(self._hub.access.ends.items()))
        known = max(self._found.get(key, 0), self._hub.ring.first)
        for size in chain(_WINDOWS, repeat(_WINDOWS[-1])):
            ids, before = await self._window(number, size, asker, filters, known)
            if not ids or await self._desk.finds_all(asker, ids):
                break
            number = before
        self._remember(key, number)
        return self._before(number)

    def _remember(self, key: Hashable, number: int) -> None:
        """Remember that what lies before a number is found, so that it is not asked for at each request."""
        self._found[key] = number
        self._found.move_to_end(key)
        if len(self._found) > _REMEMBERED:
            self._found.popitem(last=False)

    async def _window(self, number: int, size: int, asker: Asker, filters: Filters, known: int) -> tuple[set[str], int]:
        """Return the ids of up to ``size`` events before a number that the asker is given, and where they begin.

        Those before ``known`` are not looked at.
        """
        ring = self._hub.ring
        ids: set[str] = set()
        while number > max(known, ring.first) and len(ids) < size:
            for event in reversed(ring.slice(max(known, ring.first, number - _SLICE), number)):
                number -= 1
                if self._is_given(event, asker, filters):
                    ids.add(event.record.key)
                    if len(ids) == size:
                        break
            await asyncio.sleep(0)
        return ids, number

    def _is_given(self, event: Event, asker: Asker, filters: Filters) -> bool:
        access = self._hub.access
        if event.made is None or not event.made.facts.match(filters):  # tells most apart, and costs least
            return False
        made = event.current(access)
        if made is None or not made.facts.match(filters):
            return False
        return may_read(access, made, asker.principals, asker.person)

    def _before(self, number: int) -> Position:
        ring = self._hub.ring
        if number >= ring.end:
            return Position(self._hub.mark, ring.position)
        before = ring.slice(number - 1, number) if number > ring.first else []
        return Position(self._hub.mark, before[0].after if before else ring.since)
