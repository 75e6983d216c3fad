"""A record of a topic as an event for readers. Decoded when the first reader needs it, and once."""

from collections.abc import Callable
from dataclasses import dataclass

from services.common.access import AccessState
from services.common.bus import Received
from services.gateway.filters import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What readers are given, and what decides who is. ``data`` is JSON in one line."""

    data: bytes
    facts: Facts
    container: str
    object: str
    version: str = ""
    order: int = 0
    blank: bool = False
    """Its content was withdrawn already when it was made."""
    recorded: int = 0
    """When it was taken in, micros since 1970."""
    kind: str = ""
    """Type of the server-sent event; empty for the ordinary one."""
    person: str = ""
    """The only person it is for; empty where access alone decides."""
    evidence: tuple[tuple[str, str], ...] = ()
    """Container and id of each thing that it also tells of: who may not open them all is not given the event."""


Maker = Callable[[Received], Made | None]
"""Returns the event of a record; None for what no reader gets (tombstones, repetitions, what cannot be read)."""


class Event:
    """One record in the ring. ``after`` holds the offsets to go on from behind it."""

    __slots__ = ("_known", "_made", "_maker", "after", "record")

    def __init__(self, record: Received, after: tuple[int, ...], maker: Maker) -> None:
        self.record = record
        self.after = after
        self._maker = maker
        self._made: Made | None = None
        self._known = False

    @property
    def made(self) -> Made | None:
        """What readers are given."""
        if not self._known:
            self._made = self._maker(self.record)
            self._known = True
        return self._made

    def current(self, access: AccessState) -> Made | None:
        """Return what readers are given now: without content where the source has withdrawn it meanwhile."""
        made = self.made
        if made and not made.blank and access.withdrawn(made.object, made.version, made.order):
            self._known = False
        return self.made

    @property
    def partition(self) -> int:
        """Number of the partition."""
        return self.record.partition.number

    @property
    def offset(self) -> int:
        """Offset in the partition."""
        return self.record.offset

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory, roughly: the record, and as much again once it is decoded."""
        return 2 * len(self.record.value or b"") + 600
