"""Recommendations per person, from ``recommendation.v1``, in memory: the newest ones, and none that is held out."""

from collections.abc import Sequence

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.recommendation import Recommendation, recommendation_in
from services.common.view import View

_MOST = 200
"""Recommendations kept for a person; beyond it the oldest goes."""
_log = logs.get(__name__)


class Recommendations:
    """``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus) -> None:
        self._codec = Codec("recommendation")
        self._by_person: dict[str, dict[str, Recommendation]] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._view = View(bus, topics.RECOMMENDATION.name(bus.prefix), self._take)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def reached(self, offsets: Sequence[int]) -> None:
        """Return once all that lies before these offsets of the topic, one a partition, is known here."""
        await self._view.reached(offsets)

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def of(self, person: str) -> list[Recommendation]:
        """Return a person's recommendations, newest first."""
        mine = self._by_person.get(person, {}).values()
        return sorted(mine, key=lambda one: (-one.time, one.object))

    def get(self, person: str, object_id: str) -> Recommendation | None:
        """Return what recommends an object to a person."""
        return self._by_person.get(person, {}).get(object_id)

    def people(self) -> tuple[str, ...]:
        """Return who has recommendations, those with most first."""
        return tuple(sorted(self._by_person, key=lambda one: (-len(self._by_person[one]), one)))

    def _take(self, received: Received) -> None:
        if received.value is None:
            self._drop(*self._keys.get(received.key, ("", "")))
            return
        try:
            one = recommendation_in(self._codec.decode(received.value))
        except Reject as error:
            _log.warning("a recommendation cannot be read", offset=received.offset, reason=str(error))
            return
        self._drop(one.person, one.object)
        if one.withdrawn or one.held_out:
            return
        self._keys[received.key] = (one.person, one.object)
        mine = self._by_person.setdefault(one.person, {})
        mine[one.object] = one
        if len(mine) > _MOST:
            self._drop(one.person, min(mine, key=lambda id_: mine[id_].time))

    def _drop(self, person: str, thing: str) -> None:
        mine = self._by_person.get(person, {})
        if (gone := mine.pop(thing, None)) is not None:
            self._keys.pop(gone.key, None)
        if not mine:
            self._by_person.pop(person, None)
