"""Candidates that stand, by what they are about and rest on: to take them back when that goes away."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from services.common import topics
from services.common.bus import Bus
from services.common.recommendation import Recommendation, recommendation_in
from services.enrich.scoring.selections import without_evidence
from services.enrich.scoring.slim import slim
from services.enrich.scoring.views import Records

_MOST = 50_000
"""Candidates that can be taken back; what is older is checked when it is shown, as everything is."""


class Issued(Records):
    """Of each candidate there is what it would be without its evidence: all that can still be said of it from here."""

    topic = topics.CANDIDATE

    def __init__(self, bus: Bus, most: int = _MOST) -> None:
        super().__init__(bus)
        self._most = most
        self._standing: OrderedDict[str, Recommendation] = OrderedDict()
        self._names: dict[str, tuple[str, ...]] = {}
        """By key: what it rests on beside its object and its conversation."""
        self._by: dict[str, list[str]] = {}

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a candidate, or that there is none.

        What this worker issued itself comes back by the log, later: what is about an older beginning of the same thing
        says nothing of the newer one that stands.
        """
        standing = self._standing.get(key)
        if standing is not None and record is not None and record["published"] < standing.published:
            return
        if record is None or record["withdrawn"]:
            self.drop(key)
        else:
            self.add(recommendation_in(record))

    def add(self, one: Recommendation) -> None:
        """Take a candidate that was issued just now."""
        with self.lock:
            key = one.key
            self.drop(key)
            self._standing[key] = kept = slim(without_evidence(one))
            about = {kept.object, kept.thread}
            if names := {*(thing.object for thing in one.evidence), *one.people} - about - {""}:
                self._names[key] = tuple(names)
            for name in (*about, *names):
                self._by.setdefault(name, []).append(key)
            if len(self._standing) > self._most:
                self.drop(next(iter(self._standing)))

    def drop(self, key: str) -> None:
        """Take it that a candidate was taken back."""
        with self.lock:
            one = self._standing.pop(key, None)
            if one is None:
                return
            for name in {one.object, one.thread, *self._names.pop(key, ())}:
                keys = self._by[name]
                keys.remove(key)
                if not keys:
                    del self._by[name]

    def __contains__(self, key: str) -> bool:
        return key in self._standing

    def resting_on(self, name: str) -> list[Recommendation]:
        """Return those about an object or a conversation, or whose reason named it or rested on a person."""
        with self.lock:
            return [self._standing[key] for key in sorted(self._by.get(name, ()))]
