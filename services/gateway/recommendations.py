"""Recommendations per person, from ``recommendation.v1``, in memory: the newest ones, and none that is held out."""

from collections.abc import Mapping
from typing import Any

from services.common import topics
from services.common.bus import Bus, Received
from services.common.recommendation import Recommendation, recommendation_in
from services.common.view import DecodedView

_MOST = 200
"""Recommendations kept for a person; beyond it the oldest goes."""


class Recommendations(DecodedView):
    """``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.RECOMMENDATION)
        self._by_person: dict[str, dict[str, Recommendation]] = {}
        self._keys: dict[str, tuple[str, str]] = {}

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

    def take(self, received: Received, record: Mapping[str, Any] | None) -> None:
        """Take a recommendation, or that there is none."""
        if record is None:
            self._drop(*self._keys.get(received.key, ("", "")))
            return
        one = recommendation_in(record)
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
