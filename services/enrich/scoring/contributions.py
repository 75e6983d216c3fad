"""Stream: activities re-keyed to the people who took part, ``enriched.v1`` to ``contribution.v1``."""

import asyncio
from collections.abc import Sequence

from services.common import envelope, topics
from services.common.bus import Outgoing, Received
from services.common.codec import Codec
from services.common.model import Enriched
from services.enrich.scoring.follow import Followed, decode, gone
from services.enrich.scoring.past import key_of, people_of
from services.enrich.scoring.terms import terms_of

_MOST_PEOPLE = 20


class Contributions:
    """One record per person and activity; without terms where it was withdrawn, and for who has it no more."""

    def __init__(self, followed: Followed, prefix: str) -> None:
        self.turn = asyncio.Lock()
        self._followed = followed
        self._topic = topics.CONTRIBUTION.name(prefix)
        self._enriched, self._contribution = Codec("enriched"), Codec("contribution")

    async def ready(self, records: Sequence[Received]) -> None:
        """Wait for the history, which knows who else is there."""
        await wait_for(self._followed, records)

    def work(self, record: Received) -> list[Outgoing]:
        """Return a contribution per person."""
        one = decode(self._enriched, record)
        if one is None or envelope.REDELIVERED in record.headers:
            return []
        terms = {} if gone(one, record) else terms_of(one)
        there = self._there(one)
        found = [self._outgoing(one, person, terms, there) for person in people_of(one)]
        return found + [self._outgoing(one, person, {}, there) for person in sorted(envelope.formerly(record.headers))]

    def _there(self, one: Enriched) -> list[str]:
        past = self._followed.history.object(key_of(one))
        return list(dict.fromkeys((*people_of(one), *one.mention_people, *(past.people if past else ()))))

    def _outgoing(self, one: Enriched, person: str, terms: dict[str, float], there: list[str]) -> Outgoing:
        record = {
            "person": person,
            "activity": one.activity.id,
            "object": key_of(one),
            "container": one.activity.audience.container,
            "terms": terms,
            "people": [other for other in there if other != person][:_MOST_PEOPLE],
            "published": one.activity.published,
        }
        return Outgoing(
            topic=self._topic,
            key=f"{person}|{one.activity.id}",
            value=self._contribution.encode(record),
            place=person,
        )

    def end(self) -> list[Outgoing]:
        """Nothing is said of a batch as a whole."""
        return []

    def stored(self, records: Sequence[Outgoing]) -> None:
        """Nothing is kept here."""


async def wait_for(followed: Followed, records: Sequence[Received]) -> None:
    """Return once the history has all of these records."""
    last = {record.partition.number: record.offset for record in records}
    for partition, offset in last.items():
        await followed.passed(partition, offset)
