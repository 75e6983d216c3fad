"""Stream: candidates, ``enriched.v1`` to ``candidate.v1``; what is withdrawn takes its own back."""

import asyncio
from collections.abc import Sequence

from services.common import envelope, topics
from services.common.access import EVERYONE, AccessState
from services.common.bus import Outgoing, Received
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.model import Enriched
from services.common.recommendation import Recommendation, recommendation_out
from services.enrich.people import People
from services.enrich.scoring.contributions import wait_for
from services.enrich.scoring.follow import Followed, decode, gone
from services.enrich.scoring.recommend import Asked, recommend
from services.enrich.scoring.selections import withdrawn, without_evidence
from services.enrich.scoring.views import Issued, Left


class Candidates:
    """Finds whom that which begins may help; repetitions change nothing."""

    def __init__(
        self,
        followed: Followed,
        issued: Issued,
        left: Left,
        access: AccessState,
        people: People,
        prefix: str,
        clock: Clock = now,
    ) -> None:
        self._followed = followed
        self.turn = asyncio.Lock()
        self._issued = issued
        self._access = access
        self._people = people
        self._asked = Asked(self._may_open, lambda _: {}, left.__contains__)
        self._topic = topics.CANDIDATE.name(prefix)
        self._clock = clock
        self._enriched, self._recommendation = Codec("enriched"), Codec("recommendation")

    async def ready(self, records: Sequence[Received]) -> None:
        """Wait for the history."""
        await wait_for(self._followed, records)

    def _may_open(self, person: str, container: str, object_id: str) -> bool:
        return self._access.may_open((EVERYONE, person, *self._people.accounts_of(person)), container, object_id)

    def work(self, record: Received) -> list[Outgoing]:
        """Return the recommendations of an activity that begins something, or what a withdrawal takes back."""
        one = decode(self._enriched, record)
        if one is None or envelope.REDELIVERED in record.headers or envelope.CORRECTED in record.headers:
            return []
        if gone(one, record):
            return [self._outgoing(taken) for taken in self._taken_back(one)]
        found = [new for new in recommend(one, self._followed.history, self._asked) if new.key not in self._issued]
        for new in found:
            self._issued.add(new)
        return [self._outgoing(new) for new in found]

    def _taken_back(self, one: Enriched) -> list[Recommendation]:
        gone_object = one.activity.object.id
        changed = [
            withdrawn(rec, "deleted") if rec.object == gone_object else without_evidence(rec)
            for rec in self._issued.resting_on(gone_object)
        ]
        for rec in changed:
            (self._issued.drop(rec.key) if rec.withdrawn else self._issued.add(rec))
        return changed

    def _outgoing(self, one: Recommendation) -> Outgoing:
        value = self._recommendation.encode(recommendation_out(one, self._clock()))
        return Outgoing(topic=self._topic, key=one.key, value=value, place=one.person)

    def end(self) -> list[Outgoing]:
        """Nothing is said of a batch as a whole."""
        return []

    def stored(self, records: Sequence[Outgoing]) -> None:
        """What was given is known already, and comes back through ``recommendation.v1``."""
