"""Recommendations per person, from ``recommendation.v1``, in memory: the newest ones, bounded."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import micros
from services.common.view import View

_MOST = 200
"""Recommendations kept for a person; beyond it the oldest goes."""
_log = logs.get(__name__)

UNEXPECTED = frozenset(
    {"surprise", "unexpected", "unexpectedness", "novelty", "distance", "serendipity", "rarity", "diversity", "bridge"}
)
"""Names of terms that speak for the unexpected; all others speak for the familiar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One object for one person. ``terms`` add up to ``score``; ``published`` is the trigger's time in micros."""

    object: str
    activity: str
    score: float
    terms: Mapping[str, float]
    reason: str
    evidence: tuple[str, ...]
    container: str
    published: int

    def dialled(self, surprise: float) -> float:
        """Return the score with the dial at ``surprise``: 0 counts familiar terms only, 0.5 leaves it as it is."""
        return sum(
            value * 2 * (surprise if is_unexpected(name) else 1 - surprise) for name, value in self.terms.items()
        )


def is_unexpected(term: str) -> bool:
    """Return whether a term speaks for the unexpected."""
    return any(part in UNEXPECTED for part in term.lower().replace("-", "_").split("_"))


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

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def of(self, person: str, surprise: float = 0.5) -> list[Recommendation]:
        """Return a person's recommendations, best first."""
        mine = self._by_person.get(person, {}).values()
        return sorted(mine, key=lambda one: (-one.dialled(surprise), -one.published, one.object))

    def people(self) -> tuple[str, ...]:
        """Return who has recommendations, those with most first."""
        return tuple(sorted(self._by_person, key=lambda one: (-len(self._by_person[one]), one)))

    def _take(self, received: Received) -> None:
        if received.value is None:
            self._drop(*self._keys.pop(received.key, ("", "")))
            return
        try:
            r = self._codec.decode(received.value)
        except Reject as error:
            _log.warning("a recommendation cannot be read", offset=received.offset, reason=str(error))
            return
        person, thing = r["person"], r["object"]
        self._drop(person, thing)
        if r["withdrawn"] or r["heldOut"]:
            return
        self._keys[received.key] = (person, thing)
        mine = self._by_person.setdefault(person, {})
        mine[thing] = Recommendation(
            object=thing,
            activity=r["activity"],
            score=r["score"],
            terms=r["terms"],
            reason=r["reason"],
            evidence=tuple(r["evidence"]),
            container=r["container"],
            published=micros(r["published"]),
        )
        if len(mine) > _MOST:
            del mine[min(mine, key=lambda one: mine[one].published)]

    def _drop(self, person: str, thing: str) -> None:
        mine = self._by_person.get(person, {})
        mine.pop(thing, None)
        if not mine:
            self._by_person.pop(person, None)
