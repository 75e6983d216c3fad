"""What people have set, by name, from ``setting.v1``, in memory; setting it is an event in Kafka like any other."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from services.common import logs, topics
from services.common.bus import Bus, Outgoing, Publisher, Received, Unpublished
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.view import View

Value = dict[str, Any]
Listener = Callable[[str, str, Value | None], None]
"""Is told each record in the order of the log: whose, its name, and its value; None where it was taken away."""
_log = logs.get(__name__)


class Remembered:
    """``start`` and ``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus, clock: Clock = now) -> None:
        self._bus = bus
        self._clock = clock
        self._codec = Codec("setting")
        self._topic = topics.SETTING.name(bus.prefix)
        self._values: dict[str, dict[str, Value]] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._listeners: list[tuple[str, Listener]] = []
        self._publisher: Publisher | None = None
        self._view = View(bus, self._topic, self._take)

    def listen(self, prefix: str, listener: Listener) -> None:
        """Tell a listener of names that begin so, those that are loaded among them."""
        self._listeners.append((prefix, listener))

    async def start(self) -> None:
        """Open the publisher."""
        self._publisher = await self._bus.publisher()

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def caught_up(self) -> None:
        """Return once all that was set at the time of the call, in whatever process, is known here."""
        await self._view.caught_up()

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()
        if self._publisher is not None:
            await self._publisher.stop()

    def get(self, person: str, name: str) -> Value | None:
        """Return a value, None where nothing is set."""
        return self._values.get(person, {}).get(name)

    def of(self, person: str, prefix: str) -> dict[str, Value]:
        """Return what a person has set under names that begin so, by the rest of the name."""
        mine = self._values.get(person, {})
        return {name.removeprefix(prefix): mine[name] for name in sorted(mine) if name.startswith(prefix)}

    async def put(self, person: str, name: str, value: Value | None) -> None:
        """Set, or take away with None; returns once Kafka has it. Raises Unpublished where it does not take it."""
        await self.put_all([(person, name, value)])

    async def put_all(self, given: Iterable[tuple[str, str, Value | None]]) -> None:
        """Set several at once; as ``put``."""
        assert self._publisher is not None, "start first"
        await self._publisher.publish([self._outgoing(*one) for one in given])

    async def sweep(self, ended: Callable[[], Iterable[tuple[str, str]]], *, seconds: float) -> None:
        """For ever: take away what has ended (whose, and its name), so that the log need not keep it."""
        while True:
            await asyncio.sleep(seconds)
            gone = list(ended())
            try:
                await self.put_all((person, name, None) for person, name in gone)
            except Unpublished as error:
                _log.warning("what has ended is taken away later", count=len(gone), reason=str(error))

    def _outgoing(self, person: str, name: str, value: Value | None) -> Outgoing:
        record = None
        if value is not None:
            said = {"person": person, "name": name, "value": orjson.dumps(value).decode(), "at": self._clock()}
            record = self._codec.encode(said)
        return Outgoing(topic=self._topic, key=f"{person}|{name}", value=record, place=person)

    def _take(self, received: Received) -> None:
        if received.value is None:
            person, name = self._keys.pop(received.key, ("", ""))
            self._values.get(person, {}).pop(name, None)
            self._tell(person, name, None)
            return
        try:
            record = self._codec.decode(received.value)
            value = orjson.loads(record["value"])
        except (Reject, orjson.JSONDecodeError) as error:
            _log.warning("a setting cannot be read", offset=received.offset, reason=str(error))
            return
        if isinstance(value, dict):  # what other parts keep here in other forms is theirs to read
            self._keys[received.key] = (record["person"], record["name"])
            self._values.setdefault(record["person"], {})[record["name"]] = value
            self._tell(record["person"], record["name"], value)

    def _tell(self, person: str, name: str, value: Value | None) -> None:
        for prefix, listener in self._listeners:
            if name.startswith(prefix):
                try:
                    listener(person, name.removeprefix(prefix), value)
                except Exception as error:  # another version's: must not end us, at each start
                    _log.error("a setting cannot be used", name=prefix, person=person, error=type(error).__name__)
