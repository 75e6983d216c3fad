"""Stream: recommendations, ``enriched.v1`` to ``recommendation.v1``; what is withdrawn takes its own back."""

from collections.abc import Sequence
from dataclasses import replace

from services.common import envelope, topics
from services.common.access import EVERYONE, AccessState
from services.common.bus import Outgoing, Received
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.model import Enriched
from services.enrich.people import People
from services.enrich.scoring.contributions import wait_for
from services.enrich.scoring.follow import Followed, decode, gone
from services.enrich.scoring.past import key_of
from services.enrich.scoring.recommend import Asked, Recommendation, recommend
from services.enrich.scoring.views import Given, OptOuts, Profiles

DAILY = 5
"""Recommendations that a person gets for one day of event time."""


class Recommendations:
    """Recommends what begins; what was given is not given again, so repetitions change nothing."""

    def __init__(
        self,
        followed: Followed,
        profiles: Profiles,
        given: Given,
        opt_outs: OptOuts,
        access: AccessState,
        people: People,
        prefix: str,
        clock: Clock = now,
    ) -> None:
        self._followed = followed
        self._given = given
        self._access = access
        self._people = people
        self._asked = Asked(self._may_open, profiles.terms, opt_outs.__contains__)
        self._topic = topics.RECOMMENDATION.name(prefix)
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
        if one is None or envelope.REDELIVERED in record.headers:
            return []
        if gone(one, record):
            return [self._outgoing(taken) for taken in self._taken_back(one)]
        found = [new for new in recommend(one, self._followed.history, self._asked) if self._given.wanted(new, DAILY)]
        for new in found:
            self._given.add(new)
        return [self._outgoing(new) for new in found]

    def _taken_back(self, one: Enriched) -> list[Recommendation]:
        objects = {one.activity.object.id, key_of(one)}
        standing = {rec.key: rec for object_id in objects for rec in self._given.resting_on(object_id)}
        return [
            replace(rec, withdrawn=True, reason="", terms={}, score=0.0, evidence=(), activity="")
            for rec in standing.values()
        ]

    def _outgoing(self, one: Recommendation) -> Outgoing:
        record = {
            "person": one.person,
            "object": one.object,
            "activity": one.activity,
            "score": one.score,
            "terms": one.terms,
            "reason": one.reason,
            "evidence": one.evidence,
            "container": one.container,
            "withdrawn": one.withdrawn,
            "heldOut": False,
            "model": one.model,
            "published": one.published,
            "recorded": self._clock(),
        }
        value = self._recommendation.encode(record)
        return Outgoing(topic=self._topic, key=one.key, value=value, place=one.person)

    def end(self) -> list[Outgoing]:
        """Nothing is said of a batch as a whole."""
        return []

    def stored(self, records: Sequence[Outgoing]) -> None:
        """What was given is known already, and comes back through ``recommendation.v1``."""
