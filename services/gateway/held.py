"""The newest record per key of a topic, in memory: what meetings and trends are read from."""

from collections.abc import Mapping
from typing import Any

from services.common import logs
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.topics import Topic
from services.common.view import View

_log = logs.get(__name__)


class Held:
    """``load`` first, then run ``follow`` as a part of the service."""

    topic: Topic

    def __init__(self, bus: Bus) -> None:
        self._codec = Codec(self.topic.schema)
        self._view = View(bus, self.topic.name(bus.prefix), self._take)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def _take(self, received: Received) -> None:
        try:
            self.take(received.key, None if received.value is None else self._codec.decode(received.value))
        except Reject as error:
            _log.warning("a record cannot be read and counts as absent", topic=self.topic.suffix, reason=str(error))
            self.take(received.key, None)

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a record, or that there is none."""
        raise NotImplementedError
