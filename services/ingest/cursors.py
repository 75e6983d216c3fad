"""How far each source has been read, in ``cursor.v1``: stored only after what was read is stored."""

from dataclasses import dataclass

from services.common import topics
from services.common.bus import Bus, Outgoing, Publisher, Received
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.view import View


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

    async def load(self) -> None:
        """Read what is stored."""
        await self._view.load()
        await self._view.stop()

    def _apply(self, record: Received) -> None:
        if record.value is None:
            self._cursors.pop(record.key, None)
            return
        stored = self._codec.decode(record.value)
        self._cursors[record.key] = Cursor(position=stored["position"], complete=stored["complete"])

    def get(self, source: str, way: str) -> Cursor:
        """Return where a source's container, or way of reading such as ``live``, stands; the beginning if unknown."""
        return self._cursors.get(_key(source, way), Cursor())

    async def put(self, source: str, way: str, cursor: Cursor) -> None:
        """Store a cursor; the batch that it follows must have been acknowledged."""
        record = {
            "source": source,
            "container": way,
            "position": cursor.position,
            "complete": cursor.complete,
            "at": self._clock(),
        }
        key = _key(source, way)
        await self._publisher.publish([Outgoing(topic=self._topic, key=key, value=self._codec.encode(record))])
        self._cursors[key] = cursor

    async def forget(self, source: str, way: str) -> None:
        """Begin again at the beginning."""
        key = _key(source, way)
        await self._publisher.publish([Outgoing(topic=self._topic, key=key, value=None)])
        self._cursors.pop(key, None)


def _key(source: str, way: str) -> str:
    return f"{source} {way}"
