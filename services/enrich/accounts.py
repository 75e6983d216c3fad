"""``account.v1`` in memory, as the people behind the accounts."""

from typing import Any

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.view import View
from services.enrich.people import Known, People

_log = logs.get(__name__)


class AccountView:
    """Keeps ``people`` up to date: ``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus) -> None:
        self.people = People()
        self._codec = Codec("account")
        self._view = View(bus, topics.ACCOUNT.name(bus.prefix), self._take)

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
        if received.value is None:
            self.people.forget(received.key)
            return
        try:
            self.people.apply(_known(self._codec.decode(received.value)))
        except Reject as error:
            _log.error("account record cannot be read and is left out", id=received.key, reason=str(error))


def _known(record: dict[str, Any]) -> Known:
    return Known(
        account=record["account"],
        person=record["person"],
        handle=record["handle"],
        address_hash=record["addressHash"],
        automated=record["automated"],
        evidence=record["evidence"],
        source=record["source"],
    )
