"""Hands new events to every reader at the head of the stream.

Readers that asked for the same form a group: filters are looked at once per event and group, and bytes are made once
per form. Where all events of a batch may be opened by everyone, the whole group shares them; otherwise each set of
principals gets its own.
"""

from collections.abc import Callable, Iterator, Sequence

from services.common import metrics
from services.common.access import EVERYONE, AccessState
from services.gateway.stream import wire
from services.gateway.stream.connection import Connection
from services.gateway.stream.events import Event, Made
from services.gateway.stream.selection import Names, Selection
from services.gateway.stream.wire import Form

Identify = Callable[[Event], str]
"""Returns the id that stands for the position behind an event."""
Written = tuple[Event, Made, Names]


def may_read(access: AccessState, made: Made, principals: tuple[str, ...], person: str) -> bool:
    """Return whether an asker may be given an event: the one rule of all streams."""
    if made.person and made.person != person:
        return False
    told = ((made.container, made.object), *made.evidence)
    return all(access.may_open(principals, container, thing) for container, thing in told)


class Fanout:
    """The readers at the head."""

    def __init__(self, access: AccessState, identify: Identify) -> None:
        self._access = access
        self._identify = identify
        self._groups: dict[Selection, set[Connection]] = {}
        self._same: dict[Selection, Selection] = {}

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._groups.get(connection.selection, ())

    def __iter__(self) -> Iterator[Connection]:
        for group in self._groups.values():
            yield from tuple(group)

    def add(self, connection: Connection) -> None:
        """Take a reader that has been given all before the next event."""
        # Readers who asked for the same hold the same selection: it may be as long as what somebody follows.
        connection.selection = self._same.setdefault(connection.selection, connection.selection)
        self._groups.setdefault(connection.selection, set()).add(connection)

    def remove(self, connection: Connection) -> None:
        """Let a reader go."""
        group = self._groups.get(connection.selection)
        if group is not None:
            group.discard(connection)
            if not group:
                del self._groups[connection.selection], self._same[connection.selection]

    def send(self, events: Sequence[Event]) -> None:
        """Give each reader those of the events that it asked for and may open, in one write."""
        made = [(event, event.current(self._access)) for event in events]
        readable = [(event, one) for event, one in made if one is not None]
        open_to_all = {
            id(event) for event, one in readable if not one.person and may_read(self._access, one, (EVERYONE,), "")
        }
        for selection, group in tuple(self._groups.items()):
            matching = [(event, one, names) for event, one in readable if (names := selection.names(one.facts))]
            if matching:
                self._send_group(tuple(group), matching, open_to_all)

    def _send_group(self, group: Sequence[Connection], matching: Sequence[Written], open_to_all: set[int]) -> None:
        batches = _Batches(self._identify)
        shared = all(id(event) in open_to_all for event, *_ in matching)
        allowed: dict[tuple[str, ...], Sequence[Written]] = {}
        sent = 0
        for connection in group:
            mine: Sequence[Written] = matching
            if not shared:
                who = connection.asker.principals
                if who not in allowed:
                    some = [w for w in matching if self._may(w, connection, open_to_all)]
                    allowed[who] = some if len(some) < len(matching) else matching  # all: the bytes are shared
                mine = allowed[who]
            if mine:
                if connection.write(batches.payload(connection, mine)):
                    sent += len(mine)
                else:
                    self.remove(connection)
        metrics.STREAM_EVENTS.inc(sent)

    def _may(self, written: Written, connection: Connection, open_to_all: set[int]) -> bool:
        event, made, _ = written
        asker = connection.asker
        return id(event) in open_to_all or may_read(self._access, made, asker.principals, asker.person)


class _Batches:
    """The bytes of sets of events, each made once."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._known: dict[tuple[Form, bool, int, str], bytes] = {}

    def payload(self, connection: Connection, written: Sequence[Written]) -> bytes:
        form, chunked, suffix = connection.form, connection.chunked, connection.suffix()
        key = (form, chunked, id(written), suffix)  # the lists live as long as this object
        found = self._known.get(key)
        if found is None:
            blocks = [wire.event(form, self._identify(event) + suffix, made, names) for event, made, names in written]
            found = self._known[key] = wire.joined(blocks, chunked=chunked)
        return found
