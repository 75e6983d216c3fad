"""What scoring keeps of compacted topics: profiles' terms, recommendations given, and who does not want any."""

from collections.abc import Mapping
from typing import Any

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.topics import Topic
from services.common.view import View
from services.enrich.scoring.recommend import Recommendation

_log = logs.get(__name__)


class _Records:
    """The decoded records of one topic, handed to ``take``; ``load`` first, then run ``follow``."""

    topic: Topic

    def __init__(self, bus: Bus) -> None:
        self._codec = Codec(self.topic.schema)
        self._view = View(bus, self.topic.name(bus.prefix), self._decode)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def _decode(self, received: Received) -> None:
        try:
            self.take(received.key, self._codec.decode(received.value) if received.value is not None else None)
        except Reject as error:
            _log.error("record cannot be read and is left out", topic=self.topic.suffix, reason=str(error))

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a record, or a tombstone."""
        raise NotImplementedError


class Profiles(_Records):
    """Terms by person."""

    topic = topics.PROFILE

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self._terms: dict[str, Mapping[str, float]] = {}

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a profile."""
        if record is None:
            self._terms.pop(key, None)
        else:
            self._terms[key] = record["terms"]

    def terms(self, person: str) -> Mapping[str, float]:
        """Return what a person works on."""
        return self._terms.get(person, {})


class OptOuts(_Records):
    """People who are not to be recommended anything."""

    topic = topics.PERSON

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self._people: set[str] = set()

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take what is known of a person."""
        if record is not None and record["optOut"]:
            self._people.add(key)
        else:
            self._people.discard(key)

    def __contains__(self, person: str) -> bool:
        return person in self._people


class Given(_Records):
    """Recommendations that stand, by object and by what they rest on; and how many a person got on a day."""

    topic = topics.RECOMMENDATION

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self._standing: dict[str, Recommendation] = {}
        self._by_object: dict[str, set[str]] = {}
        self._by_day: dict[tuple[str, int], set[str]] = {}

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a recommendation, or that there is none."""
        if record is None or record["withdrawn"]:
            self._drop(key)
        else:
            self.add(_recommendation(record))

    def add(self, one: Recommendation) -> None:
        """Take a recommendation that was given just now."""
        self._drop(one.key)
        self._standing[one.key] = one
        for object_id in (one.object, *one.evidence):
            self._by_object.setdefault(object_id, set()).add(one.key)
        self._by_day.setdefault((one.person, one.day), set()).add(one.object)

    def _drop(self, key: str) -> None:
        # It still counts for its day: who takes back does not get room for another.
        one = self._standing.pop(key, None)
        for object_id in (one.object, *one.evidence) if one else ():
            keys = self._by_object[object_id]
            keys.discard(key)
            if not keys:
                del self._by_object[object_id]

    def wanted(self, one: Recommendation, daily: int) -> bool:
        """Return whether it was not given before, and the person may get one more on that day."""
        given = self._by_day.get((one.person, one.day), set())
        return one.object not in given and len(given) < daily

    def resting_on(self, object_id: str) -> list[Recommendation]:
        """Return the recommendations that show an object or name it in their reason."""
        return [self._standing[key] for key in sorted(self._by_object.get(object_id, ()))]


def _recommendation(record: Mapping[str, Any]) -> Recommendation:
    return Recommendation(
        person=record["person"],
        object=record["object"],
        activity=record["activity"],
        score=record["score"],
        evidence=tuple(record["evidence"]),
        container=record["container"],
        model=record["model"],
        published=record["published"],
    )
