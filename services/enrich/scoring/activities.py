"""Stream: activities, ``enriched.v1`` to ``contribution.v1`` and ``candidate.v1``, both re-keyed to the person.

All of the log is taken in by ``replay``; this says what is kept of it and what follows from it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from services.common import envelope, logs, topics
from services.common.bus import Outgoing, Received
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import Enriched, micros
from services.common.recommendation import Recommendation, recommendation_out
from services.enrich.scoring.contributions import contributions
from services.enrich.scoring.engagements import engagements, people_of
from services.enrich.scoring.follow import decode, gone
from services.enrich.scoring.issued import Issued
from services.enrich.scoring.recommend import Begun, Recommender
from services.enrich.scoring.replay import Item, Outcome, Replay
from services.enrich.scoring.selections import withdrawn, without_evidence
from services.enrich.scoring.streams import WITHIN
from services.enrich.scoring.views import Left

_MISTAKE = "a record could not be scored"
_log = logs.get(__name__)
_FOLLOWED = ("person", "container", "tag")


class Activities:
    """The stream as Faust gives it: what follows from each record, once the log is taken in up to there."""

    within = WITHIN

    def __init__(self, replay: Replay) -> None:
        self.turn = asyncio.Lock()
        self._replay = replay

    async def ready(self, records: Sequence[Received]) -> None:
        """Wait until these are taken in."""
        await self._replay.reached(records)

    def work(self, record: Received) -> list[Outgoing]:
        """Return what follows from a record; raises Reject when it could not be read."""
        return list(self._replay.outcome(record))

    def end(self) -> list[Outgoing]:
        """Nothing is said of a batch as a whole."""
        return []


class Scoring:
    """What the log means for scoring: a handler for ``Replay``. ``make`` returns a recommender that knows nothing."""

    def __init__(
        self, make: Callable[[], Recommender], issued: Issued, left: Left, prefix: str, clock: Clock = now
    ) -> None:
        self._make = make
        self._left = left.__contains__
        self._issued = issued
        self._clock = clock
        self._candidate, self._contribution = topics.CANDIDATE.name(prefix), topics.CONTRIBUTION.name(prefix)
        self._enriched, self._recommendations, self._contributions = map(
            Codec, ("enriched", "recommendation", "contribution")
        )
        self.recommender = make()
        self._follows: dict[tuple[str, str], bool] = {}
        self._said: deque[tuple[str, str]] = deque()
        self._leaving: deque[str] = deque()
        self._came: dict[tuple[str, str], int] = {}
        """Who came to what (by object or conversation) since the last scoring, and at which place of the batch."""
        self._taken_back: dict[str, datetime] = {}
        """Candidates taken back here, and which. ``issued`` goes by the log: what is said may come to nothing."""

    def begin(self) -> None:
        """Forget everything but what people have said."""
        self.recommender = self._make()
        self._taken_back.clear()
        self._said.extend(self._follows)

    def follows(self, person: str, ref: str, *, on: bool) -> None:
        """Take note that somebody follows a person, a container or a tag, or does so no more."""
        self._follows[person, ref] = on
        self._said.append((person, ref))

    def leaves(self, person: str) -> None:
        """Take note that somebody wants no part in it."""
        self._leaving.append(person)

    def _listen(self) -> None:
        relevance = self.recommender.relevance
        while self._said:
            person, ref = self._said.popleft()
            for kind in _FOLLOWED:  # an id of one kind does not occur as another's
                relevance.follow(person, kind, ref, self._follows[person, ref])
        while self._leaving:
            person = self._leaving.popleft()
            if self._left(person):
                relevance.forget(person)

    def read(self, record: Received) -> tuple[Enriched | Reject | None, int]:
        """Return what is in a record, and its event time in micros, which lies in nobody's future."""
        stored = record.timestamp * 1_000
        try:
            one = decode(self._enriched, record)
        except Reject as error:
            return error, stored
        return one, min(micros(one.activity.published), stored) if one else stored

    def handle(self, items: Sequence[Item]) -> list[Outcome]:
        """Take these in; return what follows from those that are wanted."""
        self._listen()
        outcomes: list[Outcome] = []
        begun: list[Begun] = []
        for place, item in enumerate(items):
            outcomes.append(())
            one = item.enriched
            if isinstance(one, Reject):
                outcomes[place] = one if item.wanted else ()
            elif one is not None and envelope.REDELIVERED not in item.record.headers:
                if self._must_flush(one, item.record):
                    self._score(begun, outcomes)
                    self._flush()
                outcomes[place] = self._safely(place, item, one, begun)
        self._score(begun, outcomes)
        return outcomes

    def _safely(self, place: int, item: Item, one: Enriched, begun: list[Begun]) -> Outcome:
        try:
            return self._take(place, item, one, begun)
        except Exception as error:  # a mistake of ours about one record must not stop the others
            _log.exception(_MISTAKE, offset=item.record.offset)
            why = Reject(f"a mistake in scoring ({type(error).__name__}); please report it")
            return why if item.wanted else ()

    def _flush(self) -> None:
        while True:
            try:
                return self.recommender.flush()
            except Exception:  # the one that it was about is left out
                _log.exception(_MISTAKE)

    def _recommended(self, begun: Sequence[Begun]) -> list[list[Recommendation]]:
        """Return recommendations of a batch; of each alone where one of them is to blame."""
        try:
            return self.recommender.recommend(begun)
        except Exception:
            _log.exception(_MISTAKE)
            return [self._recommended([one])[0] for one in begun] if len(begun) > 1 else [[]]

    def _must_flush(self, one: Enriched, record: Received) -> bool:
        return gone(one, record) or self.recommender.full(one)

    def _take(self, place: int, item: Item, one: Enriched, begun: list[Begun]) -> Outcome:
        lost = gone(one, item.record)
        if lost:
            self.recommender.relevance.withdraw(one.activity.object.id)
        elif envelope.CORRECTED in item.record.headers:
            self.recommender.take(one, anew=True)
        elif triggers := self.recommender.take(one):
            begun += [Begun(place, one, triggers)] * item.wanted
        if not item.wanted:
            return ()
        changed = self._lost(one) if lost else self._joined(one, place)
        formerly = envelope.formerly(item.record.headers)
        re_keyed = contributions(one, self._left, gone=lost, formerly=formerly)
        return [*(self._offer(each) for each in changed), *(self._contributed(each) for each in re_keyed)]

    def _score(self, begun: list[Begun], outcomes: list[Outcome]) -> None:
        for each, found in zip(begun, self._recommended(begun) if begun else (), strict=True):
            new = [one for one in found if not self._came_since(one, each.place)]
            for one in new:
                self._issued.add(one)
                self._taken_back.pop(one.key, None)
            before = outcomes[each.place]
            assert not isinstance(before, Reject)
            outcomes[each.place] = [*before, *map(self._offer, new)]
        begun.clear()
        self._came.clear()

    def _came_since(self, one: Recommendation, place: int) -> bool:
        """Return whether the person has come to it while it was waiting to be scored."""
        return any(self._came.get((name, one.person), -1) > place for name in (one.object, one.thread))

    def _lost(self, one: Enriched) -> list[Recommendation]:
        """Return what changes because an object's text was withdrawn: it is recommended no more, nor named."""
        object_id = one.activity.object.id
        return self._changed(
            withdrawn(rec, "deleted") if rec.object == object_id else without_evidence(rec)
            for rec in self._issued.resting_on(object_id)
        )

    def _joined(self, one: Enriched, place: int) -> list[Recommendation]:
        """Return what is withdrawn because its person takes part by now, or was told of it by somebody."""
        there = {*people_of(one), *one.mention_people}
        names = {one.activity.object.id, *(each.object for each in engagements(one))}
        self._came |= {(name, person): place for name in names for person in there}
        found = {rec.key: rec for name in names for rec in self._issued.resting_on(name)}
        return self._changed(
            withdrawn(rec, "joined")
            for rec in found.values()
            if rec.person in there and (rec.object in names or rec.thread in names)
        )

    def _changed(self, changed: Iterable[Recommendation]) -> list[Recommendation]:
        found = [one for one in changed if self._taken_back.get(one.key) != one.published]
        self._taken_back = {key: at for key, at in self._taken_back.items() if key in self._issued}
        self._taken_back |= {one.key: one.published for one in found if one.withdrawn}
        return found

    def _offer(self, one: Recommendation) -> Outgoing:
        value = self._recommendations.encode(recommendation_out(one, self._clock()))
        return Outgoing(topic=self._candidate, key=one.key, value=value, place=one.person)

    def _contributed(self, record: dict[str, object]) -> Outgoing:
        return Outgoing(
            topic=self._contribution,
            key=f"{record['person']}|{record['activity']}",
            value=self._contributions.encode(record),
            place=str(record["person"]),
        )
