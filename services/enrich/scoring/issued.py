"""Candidates that stand, by what they are about and rest on: to take them back when that goes away."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import RLock
from typing import Any

from services.common import topics
from services.common.bus import Bus, Received
from services.common.recommendation import Recommendation, recommendation_in
from services.common.view import DecodedView
from services.enrich.scoring.slim import slim

_MOST = 50_000
"""Candidates that can be taken back; what is older is checked when it is shown, as everything is."""


class Issued(DecodedView):
    """Candidates by key. Each is kept once: who selects takes it from here (``shared``)."""

    def __init__(self, bus: Bus, most: int = _MOST) -> None:
        super().__init__(bus, topics.CANDIDATE, unhurried=True)
        self._lock = RLock()
        """Held while a candidate comes or goes: in the thread, and by the log."""
        self._most = most
        self._standing: OrderedDict[str, Recommendation] = OrderedDict()
        self._by: dict[str, list[str]] = {}

    def take(self, received: Received, record: Mapping[str, Any] | None) -> None:
        """Take what the log says of a candidate."""
        with self._lock:
            self.hear(received.key, record)

    def hear(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a candidate, or that there is none.

        What this worker issued itself comes back by the log, later: what is about an older beginning of the same thing
        says nothing of the newer one that stands.
        """
        standing = self._standing.get(key)
        if standing is not None and record is not None and record["published"] < standing.published:
            return
        if record is None or record["withdrawn"]:
            self.drop(key)
        elif (one := recommendation_in(record)) != standing:
            self.add(one)

    def add(self, one: Recommendation) -> None:
        """Take a candidate that was issued just now."""
        with self._lock:
            key = one.key
            self.drop(key)
            self._standing[key] = kept = slim(one)
            for name in _names(kept):
                self._by.setdefault(name, []).append(key)
            if len(self._standing) > self._most:
                self.drop(next(iter(self._standing)))

    def drop(self, key: str) -> None:
        """Take it that a candidate was taken back."""
        with self._lock:
            one = self._standing.pop(key, None)
            if one is None:
                return
            for name in _names(one):
                keys = self._by[name]
                keys.remove(key)
                if not keys:
                    del self._by[name]

    def __contains__(self, key: str) -> bool:
        return key in self._standing

    def shared(self, one: Recommendation) -> Recommendation:
        """Return the candidate that is kept here, where it is the same, to be kept by others too; else a slim copy."""
        with self._lock:
            standing = self._standing.get(one.key)
        return standing if standing is not None and standing == one else slim(one)

    def resting_on(self, name: str) -> list[Recommendation]:
        """Return those about an object or a conversation, or whose reason named it or rested on a person."""
        with self._lock:
            return [self._standing[key] for key in sorted(self._by.get(name, ()))]


def _names(one: Recommendation) -> set[str]:
    """Return what a candidate is about and what its reason rests on."""
    return {one.object, one.thread, *(thing.object for thing in one.evidence), *one.people} - {""}
