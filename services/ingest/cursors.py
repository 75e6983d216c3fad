"""How far each source has been read, in ``cursor.v1``: stored only after what was read is stored.

Beside the cursors lie the connectors' notes: what a source cannot be asked for again. They are stored before the
batch that they belong to, so that nothing can be in the log that is not known of.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.common import logs, topics
from services.common.bus import Bus, Outgoing, Publisher, Received
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.view import View

_log = logs.get(__name__)
_NOTE = "note "
"""Begins the name of what is no way of reading but a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where to go on. ``position`` is the connector's own JSON."""

    position: str = ""
    complete: bool = False


class Cursors:
    """The stored cursors, loaded at start. Only this process moves those of its sources."""

    def __init__(self, bus: Bus, publisher: Publisher, clock: Clock = now) -> None:
        self._topic = topics.CURSOR.name(bus.prefix)
        self._publisher = publisher
        self._clock = clock
        self._codec = Codec("cursor")
        self._view = View(bus, self._topic, self._apply)
        self._cursors: dict[str, Cursor] = {}
        self._notes: dict[str, str] = {}

    async def load(self) -> None:
        """Read what is stored."""
        try:
            await self._view.load()
        finally:
            await self._view.stop()

    def _apply(self, record: Received) -> None:
        if record.value is None:
            self._cursors.pop(record.key, None)
            return
        try:
            stored = self._codec.decode(record.value)
        except Reject as error:  # then it is read from its beginning again: what is known is dropped behind us
            _log.error("a cursor cannot be read and counts as absent", id=record.key, reason=str(error))
            self._cursors.pop(record.key, None)
            return
        if stored["container"].startswith(_NOTE):
            self._notes[record.key] = stored["position"]
        else:
            self._cursors[record.key] = Cursor(position=stored["position"], complete=stored["complete"])

    def get(self, source: str, way: str) -> Cursor:
        """Return where a source's container, or way of reading such as ``live``, stands; the beginning if unknown."""
        return self._cursors.get(_key(source, way), Cursor())

    async def put(self, source: str, way: str, cursor: Cursor) -> None:
        """Store a cursor; the batch that it follows must have been acknowledged."""
        await self._publisher.publish([self._record(source, way, cursor.position, complete=cursor.complete)])
        self._cursors[_key(source, way)] = cursor

    def noted(self, source: str, name: str) -> str:
        """Return what a connector noted under a name, or an empty string."""
        return self._notes.get(_key(source, _NOTE + name), "")

    async def note(self, source: str, notes: Mapping[str, str]) -> None:
        """Store notes of a connector that are new or say something else."""
        news = {_NOTE + name: value for name, value in notes.items() if self.noted(source, name) != value}
        if news:
            await self._publisher.publish([self._record(source, name, value) for name, value in news.items()])
            self._notes.update((_key(source, name), value) for name, value in news.items())

    def _record(self, source: str, way: str, position: str, *, complete: bool = False) -> Outgoing:
        said = {"source": source, "container": way, "position": position, "complete": complete, "at": self._clock()}
        return Outgoing(topic=self._topic, key=_key(source, way), value=self._codec.encode(said))

    async def forget(self, source: str, way: str) -> None:
        """Begin again at the beginning."""
        key = _key(source, way)
        await self._publisher.publish([Outgoing(topic=self._topic, key=key, value=None)])
        self._cursors.pop(key, None)


def _key(source: str, way: str) -> str:
    return f"{source} {way}"
