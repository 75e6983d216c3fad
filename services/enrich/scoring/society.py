"""Ties, meetings and trends, live: ``enriched.v1`` to ``tie.v1``, ``meeting.v1`` and ``trend.v1``.

Both ends of a tie, and all who are in one conversation, lie in any partitions: two workers that each see one of two
messages would both miss the tie between them. So one worker does it, the one that Faust gives the first partition of
``enriched.v1``. It reads the log by itself, and publishes the difference between what should stand and what does. That
is why a repetition, a crash or a change of the worker leads to the same records, and why no offset is kept: whoever
takes over builds the state from the log.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar

from services.common import logs, metrics, topics
from services.common.access import EVERYONE, AccessState
from services.common.bus import Bus, Outgoing, Partition, Publisher, Reader, Received, Unpublished
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EPOCH, Enriched
from services.common.run import Part
from services.enrich.meeting.introductions import Asked
from services.enrich.meeting.records import (
    meeting_record,
    no_meeting,
    pair_key,
    same_work_record,
    tie_record,
    trend_record,
)
from services.enrich.meeting.society import Society
from services.enrich.people import People
from services.enrich.scoring.follow import decode, gone
from services.enrich.scoring.holdout import held_out
from services.enrich.scoring.patience import patiently
from services.enrich.scoring.standing import Standing
from services.enrich.scoring.streams import SERVICE
from services.enrich.scoring.views import Feedback, Left

_TAIL = 500_000
"""Activities back from the end of the log that the state is built from."""
_BATCH = 500
_LOOK = 0.5
_LOOK_EVERY = 1.0
"""Seconds between two looks whether all is read, and so between two publications of what changed."""
_AT_ONCE = 50
"""People for whom it is asked at a time whom they should meet."""
_REST, _LONG_REST = 5.0, 30.0
"""Rests between such rounds (where scoring is behind, between all steps), and between looks at what rises, as a
multiple of what the last one took: the other parts need the processor too."""
_log = logs.get(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What decides beside the log. ``share`` of the pairs is held out."""

    access: AccessState
    people: People
    left: Left
    feedback: Feedback
    share: float

    def asked(self) -> Asked:
        """Return what may be asked about people."""
        return Asked(self._may_open, self.left.__contains__, self.feedback.declines)

    def _may_open(self, person: str, container: str, object_id: str) -> bool:
        return self.access.may_open((EVERYONE, person, *self.people.accounts_of(person)), container, object_id)


class Live:
    """``load`` first, then run ``running``.

    ``mine`` says whether this worker is the one that does it, ``busy`` whether it has something more urgent to do.
    """

    def __init__(
        self,
        bus: Bus,
        publisher: Publisher,
        surroundings: Surroundings,
        *,
        mine: Callable[[], bool],
        busy: Callable[[], bool] = lambda: False,
        tail: int = _TAIL,
    ) -> None:
        self._bus = bus
        self._publisher = publisher
        self._around = surroundings
        self._mine, self._busy = mine, busy
        self._tail = tail
        self._topic = topics.ENRICHED.name(bus.prefix)
        self._codec = Codec("enriched")
        self._ties = Standing(bus, topics.TIE, unhurried=True)
        self._meetings = Standing(bus, topics.MEETING, _evidence)
        self._trends = Standing(bus, topics.TREND)
        self._executor = ThreadPoolExecutor(1, "society")
        self._society = Society()
        self._reader: Reader | None = None
        self._rested = self._risen_rested = self._look_at = 0.0
        self._ends: Mapping[Partition, int] = {}
        self._news = False
        """Whether something has happened since it was looked what rises."""

    async def load(self) -> None:
        """Read what stands. Raises Retry when a topic or Kafka is missing."""
        for standing in self._standings:
            await standing.load()

    @property
    def _standings(self) -> tuple[Standing, ...]:
        return self._ties, self._meetings, self._trends

    def running(self) -> Sequence[Part]:
        """Return what runs for as long as the service does."""
        return (self._follow(), *(standing.follow() for standing in self._standings))

    async def stop(self) -> None:
        """Close."""
        await self._drop()
        for standing in self._standings:
            await standing.stop()
        await asyncio.to_thread(self._executor.shutdown)

    async def _follow(self) -> None:
        while True:
            if not self._mine():
                await self._drop()
                await asyncio.sleep(_LOOK)
                continue
            if self._reader is None:
                self._reader = await self._begin()
            began = monotonic()
            await self._step(self._reader)
            if self._busy():
                await asyncio.sleep(min(_REST * (monotonic() - began), _LOOK_EVERY))

    async def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()
            self._society = Society()

    async def _begin(self) -> Reader:
        _log.info("ties, meetings and trends are this worker's")
        reader = await patiently(lambda: self._bus.reader(unhurried=True))
        try:
            await self._start(reader)
        except BaseException:  # cancelled, too: nobody else knows of it yet
            await reader.stop()
            raise
        return reader

    async def _start(self, reader: Reader) -> None:
        bounds = await patiently(lambda: reader.bounds(self._topic))
        each = self._tail // len(bounds)
        await reader.start_at({p: max(first, end - each) for p, (first, end) in bounds.items()})
        self._society, self._rested, self._risen_rested, self._look_at = Society(), 0.0, 0.0, 0.0
        self._ends = {p: end for p, (_, end) in bounds.items()}
        # Ties of who left while nobody looked.
        await self._publish([one for person in self._around.left for one in self._untied(person)])

    async def _step(self, reader: Reader) -> None:
        records = await reader.poll(limit=_BATCH, wait=_LOOK)
        if records:
            await self._in_thread(lambda: self._take(records))
        if await self._in_thread(lambda: self._society.leave(frozenset(self._around.left))):
            await self._drop()  # somebody came back: what they did before is in the log only
        elif monotonic() >= self._look_at and await self._caught_up(reader):
            await self._publish(await self._in_thread(lambda: list(self._changed_ties())))
            await self._maybe_round()

    async def _caught_up(self, reader: Reader) -> bool:
        """Return whether all is read that was there at the look before this one: there may always be more by now."""
        self._look_at = monotonic() + _LOOK_EVERY
        ends, bounds = self._ends, await patiently(lambda: reader.bounds(self._topic))
        self._ends = {p: end for p, (_, end) in bounds.items()}
        return all([await reader.position(p) >= end for p, end in ends.items()])

    async def _maybe_round(self) -> None:
        self._news |= self._society.waiting
        if self._society.waiting and (began := monotonic()) >= self._rested:
            await self._publish(await self._in_thread(lambda: list(self._met())))
            self._rested = monotonic() + _REST * (monotonic() - began)
        if self._news and (began := monotonic()) >= self._risen_rested:
            self._news = False
            await self._publish(await self._in_thread(lambda: list(self._risen())))
            self._risen_rested = monotonic() + _LONG_REST * (monotonic() - began)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _publish(self, outgoing: list[Outgoing]) -> None:
        if not outgoing:
            return
        try:
            await self._publisher.publish(outgoing)
        except Unpublished as unpublished:
            raise unpublished.failures[0][1] from unpublished
        for standing in self._standings:
            standing.published(outgoing)
        metrics.RECORDS.labels(SERVICE, "society", "done").inc(len(outgoing))

    def _take(self, records: Sequence[Received]) -> None:
        for record in records:
            try:
                one = decode(self._codec, record)
            except Reject as error:  # put aside by the stream of recommendations, which reads the same
                _log.warning("record of enriched.v1 cannot be read", offset=record.offset, reason=str(error))
                continue
            if one is not None:
                self._society.take(_in_nobodys_future(one, record), gone=gone(one, record))

    def _changed_ties(self) -> Iterator[Outgoing]:
        introductions = self._society.introductions
        for pair in introductions.ties.take_touched():
            tie = introductions.ties.get(*pair)
            record = tie_record(tie, introductions.things) if tie else None
            yield from self._ties.differing(pair_key(pair), record)

    def _untied(self, person: str) -> list[Outgoing]:
        pairs = self._ties.pairs(person)
        return [one for pair in pairs for one in self._ties.differing(pair_key(pair), None)]

    def _met(self) -> Iterator[Outgoing]:
        """Yield what to publish of whom people should meet."""
        due = self._society.take_due(_AT_ONCE)
        found = self._society.meetings(due, self._meetings.pairs, self._around.asked())
        links, at = self._society.introductions.links.weights.model, self._society.clock
        for pair, meeting in found.wanted.items():
            out = held_out(*pair, share=self._around.share)
            yield from self._meetings.differing(pair_key(pair), meeting_record(meeting, links, at, held_out=out))
        for pair in found.over:
            yield from self._meetings.differing(pair_key(pair), no_meeting(pair, at))

    def _risen(self) -> Iterator[Outgoing]:
        """Yield what to publish of what rises, and of groups on the same work that were not reported before."""
        rising = {one.key: trend_record(one) for one in self._society.rising(self._around.access.restricted)}
        ends = tuple(f"|{week}" for week in self._society.weeks)
        for key in self._trends.keys():  # noqa: SIM118 - not a dict
            if key.endswith(ends) and key not in rising:
                yield from self._trends.differing(key, None)
        for key, record in rising.items():
            yield from self._trends.differing(key, record)
        for one in self._society.same_work():
            if one.key not in self._trends:
                yield from self._trends.differing(one.key, same_work_record(one, self._society.weeks[1]))


def _evidence(meeting: Mapping[str, Any]) -> object:
    """Return what a meeting rests on: numbers move with every activity, and are not worth a record."""
    ground = [one["places"] for one in meeting["ground"]]
    return ground, meeting["introducers"], meeting["withdrawn"], meeting["heldOut"]


def _in_nobodys_future(one: Enriched, record: Received) -> Enriched:
    """Return the activity no later than it was stored: one wrong clock at a source would age everything else."""
    stored = EPOCH + timedelta(milliseconds=record.timestamp)
    return replace(one, activity=replace(one.activity, published=stored)) if one.activity.published > stored else one
