"""What stands in a topic of ours already, so that only what differs is published: a digest per key."""

from collections.abc import Callable, Iterator
from typing import Any

from services.common import logs
from services.common.bus import Bus, Outgoing, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.topics import Topic
from services.common.view import View

_log = logs.get(__name__)


class Standing:
    """``load`` first, then run ``follow``. ``telling`` gives what of a record is worth another one when it changes.

    Without it that is everything: records are compared as bytes, and none is decoded.
    """

    def __init__(
        self,
        bus: Bus,
        topic: Topic,
        telling: Callable[[dict[str, Any]], object] | None = None,
        *,
        unhurried: bool = False,
    ) -> None:
        self._topic = topic.name(bus.prefix)
        self._codec = Codec(topic.schema)
        self._telling = telling
        self._digests: dict[str, int] = {}
        self._people: dict[str, set[tuple[str, str]]] = {}
        self._view = View(bus, self._topic, self._take, unhurried=unhurried)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def __contains__(self, key: str) -> bool:
        return key in self._digests

    def keys(self) -> Iterator[str]:
        """Return the keys that stand; what is taken while somebody goes through them is not seen."""
        return iter(tuple(self._digests))

    def pairs(self, person: str) -> list[tuple[str, str]]:
        """Return the pairs of a person that stand and are not withdrawn, for topics whose records have ``people``."""
        return sorted(self._people.get(person, ()))

    def differing(self, key: str, record: dict[str, Any] | None) -> list[Outgoing]:
        """Return what to publish so that the record stands, nothing when it does; None is that nothing stands."""
        if record is None:
            return [Outgoing(topic=self._topic, key=key, value=None)] if key in self._digests else []
        value = self._codec.encode(record)
        if self._digests.get(key) == self._digest(value, self._decoded(value)):
            return []
        return [Outgoing(topic=self._topic, key=key, value=value)]

    def published(self, records: list[Outgoing]) -> None:
        """Take note of what Kafka has stored."""
        for one in records:
            if one.topic == self._topic:
                self._put(one.key, one.value)

    def _take(self, received: Received) -> None:
        try:
            self._put(received.key, received.value)
        except Reject as error:
            _log.error("record cannot be read and is left out", topic=self._topic, reason=str(error))

    def _put(self, key: str, value: bytes | None) -> None:
        record = {} if value is None else self._decoded(value)
        self._note_people(record.get("people", key.split(" ")), stands=bool(value) and not record.get("withdrawn"))
        if value is None:
            self._digests.pop(key, None)
        else:
            self._digests[key] = self._digest(value, record)

    def _note_people(self, people: list[str], *, stands: bool) -> None:
        for person in people:
            pairs = self._people.setdefault(person, set())
            (pairs.add if stands and len(people) == 2 else pairs.discard)(tuple(people))  # type: ignore[arg-type]
            if not pairs:
                del self._people[person]

    def _decoded(self, value: bytes) -> dict[str, Any]:
        return self._codec.decode(value) if self._telling else {}

    def _digest(self, value: bytes, record: dict[str, Any]) -> int:
        return hash(repr(self._telling(record)) if self._telling else value)
