"""Stream: what each person is given, ``candidate.v1`` to ``recommendation.v1``, one person in one worker.

The state is the input and the output: a partition of ``candidate.v1`` and the same one of ``recommendation.v1`` are
read when they come to this worker, and what is given is the difference between what should stand and what does. So a
crash, a repetition or a rebalance leads to the same list, and nothing is given twice.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter

from services.common import topics
from services.common.access import EVERYONE, AccessState
from services.common.bus import Bus, Outgoing, Partition, Received
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EPOCH
from services.common.recommendation import Recommendation, recommendation_in, recommendation_out
from services.common.topics import Topic
from services.enrich.people import People
from services.enrich.scan import scan
from services.enrich.scoring.holdout import held_out
from services.enrich.scoring.noticed import Changes, Noticed
from services.enrich.scoring.patience import patiently
from services.enrich.scoring.selection import selected
from services.enrich.scoring.slim import Terms, slim
from services.enrich.scoring.streams import WITHIN
from services.enrich.scoring.views import Feedback, Left, Said

_MOST = 60
"""Candidates of a person that count, the newest; what is older stands no more."""
_LIKING = 0.5
"""Log-odds by which one "more" or "less" of a place moves what comes from there."""
_MOST_LIKING = 1.5


@dataclass(slots=True)
class Mine:
    """What one person may be given, by object, and what stands in ``recommendation.v1``.

    ``again`` are days to be selected for anew; ``oldest`` is the day of the last candidate that counted, 0 where there
    was room for more.
    """

    candidates: dict[str, Recommendation] = field(default_factory=dict)
    standing: dict[str, Recommendation] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)
    oldest: int = 0

    def take(self, one: Recommendation) -> None:
        """Take a candidate."""
        before = self.candidates.get(one.object)
        if before is None or before != one:
            self.again |= {one.day, before.day if before else one.day}
            self.candidates[one.object] = one
        if len(self.candidates) > 1.5 * _MOST:
            self.candidates = {other.object: other for other in self._newest()}

    def _newest(self) -> list[Recommendation]:
        """Return what counts. The newest of all are always among those kept, whatever order they came in."""
        by_name = sorted(self.candidates.values(), key=attrgetter("object"))
        return sorted(by_name, key=attrgetter("published"), reverse=True)[:_MOST]  # equals stay in the order of names

    def look_again(self) -> None:
        """Let all days be selected for anew."""
        self.again |= {one.day for of in (self.candidates, self.standing) for one in of.values()}

    def take_days(self) -> tuple[set[int], list[Recommendation]]:
        """Return the days to be selected for anew, and the candidates of these days that count."""
        newest = self._newest()
        oldest = newest[-1].day if len(newest) == _MOST else 0
        first, last = sorted((self.oldest, oldest))  # whatever counts no more, or does again, lies between
        again = self.again | {one.day for one in (*newest, *self.standing.values()) if first <= one.day <= last}
        self.oldest, self.again = oldest, set()
        return again, [one for one in newest if one.day in again]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides beside the score. ``daily`` is a budget, ``share`` the part that is held out."""

    access: AccessState
    people: People
    left: Left
    feedback: Feedback
    daily: int
    share: float

    def of(self, person: str) -> "Personal":
        """Return the rules for one person, as of now."""
        return Personal(self, (EVERYONE, person, *self.people.accounts_of(person)), self.feedback.of(person))

    def marked(self, one: Recommendation) -> Recommendation:
        """Return a candidate with the mark of the hold-out, where it is held out."""
        return replace(one, held_out=True) if held_out(one.person, one.object, share=self.share) else one


@dataclass(frozen=True, slots=True)
class Personal:
    """The rules for one person."""

    rules: Rules
    principals: Sequence[str]
    said: Said

    def against(self, one: Recommendation) -> str:
        """Return why a candidate may not be given; empty when it may."""
        if one.person in self.rules.left or one.author in self.rules.left:
            return "opted-out"
        if not self.rules.access.may_open(self.principals, one.container, one.object):
            return "closed"
        if not self.said.muted.isdisjoint((one.object, one.thread, one.container, one.author)):
            return "muted"
        return "seen" if one.object in self.said.met else ""

    def adjusted(self, one: Recommendation) -> Recommendation:
        """Return a candidate with what the person said of its place, and without evidence that has gone away."""
        if any(person in self.rules.left for person in one.people):
            one = without_evidence(one)
        liking = max(-_MOST_LIKING, min(_MOST_LIKING, _LIKING * self.said.liked.get(one.container, 0)))
        if not liking:
            return one
        terms = {**dict(one.terms.items()), "your feedback": liking}
        return replace(one, terms=Terms(terms), score=one.score + liking)


def without_evidence(one: Recommendation) -> Recommendation:
    """Return a recommendation whose reason names and rests on nothing that may have gone away."""
    return replace(one, reason=one.plain, evidence=(), people=())


class Selections:
    """Gives and takes back. ``load`` partitions that came; what is noticed beside the stream counts at the next end.

    ``kept`` returns a candidate as it is remembered.
    """

    within = WITHIN

    def __init__(
        self,
        bus: Bus,
        rules: Rules,
        noticed: Noticed,
        kept: Callable[[Recommendation], Recommendation] = slim,
        clock: Clock = now,
    ) -> None:
        self.turn = asyncio.Lock()
        self._loading = asyncio.Lock()
        self._life = 0
        self._noticed = noticed
        self._kept = kept
        self._bus = bus
        self._rules = rules
        self._clock = clock
        self._codec = Codec("recommendation")
        self._topic = topics.RECOMMENDATION.name(bus.prefix)
        self._partitions: dict[int, dict[str, Mine]] = {}
        self._loaded: dict[int, int] = {}
        self._touched: set[tuple[int, str]] = set()

    def forget(self) -> None:
        """Drop all state: partitions may have gone to others, who go on with them."""
        self._life += 1
        self._partitions, self._loaded, self._touched = {}, {}, set()

    async def ready(self, records: Sequence[Received]) -> None:
        """Load the partitions that came anew."""
        await self.load({record.partition.number for record in records})

    async def load(self, numbers: Iterable[int]) -> None:
        """Read these partitions as far as they go now; each of their people is looked at again."""
        async with self._loading:
            if missing := set(numbers) - self._partitions.keys():
                async with self.turn:
                    pass  # what this worker is still storing has to be there, to be read back
                await self._load(missing)

    async def _load(self, numbers: Iterable[int]) -> None:
        for number in sorted(numbers):
            life = self._life
            people: dict[str, Mine] = {}
            candidates, standing = partial(self._candidate, people), partial(_standing, people)
            end = await patiently(partial(self._read, topics.CANDIDATE, number, candidates))
            await patiently(partial(self._read, topics.RECOMMENDATION, number, standing))
            if life != self._life:
                return  # what was dealt out meanwhile may be another's
            self._partitions[number], self._loaded[number] = people, end
            self._noticed.partition(number)

    async def _read(self, topic: Topic, number: int, take: Callable[[Recommendation], None]) -> int:
        """Hand over the newest record of each key, in the order of the log; return the end."""
        newest: dict[str, Recommendation] = {}
        reader = await self._bus.reader()
        partition = Partition(topic.name(self._bus.prefix), number)
        try:
            end = (await reader.bounds(partition.topic))[partition][1]
            async for record in scan(reader, partition, end):
                newest.pop(record.key, None)
                if (one := self._decoded(record)) is not None:
                    newest[record.key] = one
        finally:
            await reader.stop()
        for one in newest.values():
            take(one)
        return end

    def _decoded(self, record: Received) -> Recommendation | None:
        if record.value is None:
            return None
        try:
            return self._kept(recommendation_in(self._codec.decode(record.value)))
        except Reject:
            return None  # it was put aside when it came for the first time

    def work(self, record: Received) -> list[Outgoing]:
        """Take a candidate in; what follows from it goes out at the end of the batch."""
        number = record.partition.number
        people = self._partitions.get(number)
        if people is None or record.value is None or record.offset < self._loaded[number]:
            return []  # gone to another meanwhile, or read already
        one = self._kept(recommendation_in(self._codec.decode(record.value)))
        self._candidate(people, one)
        self._touched.add((number, one.person))
        return []

    def _candidate(self, people: dict[str, Mine], one: Recommendation) -> None:
        people.setdefault(one.person, Mine()).take(self._rules.marked(one))

    def end(self) -> list[Outgoing]:
        """Return the differences between what should stand and what does, of everybody who is concerned."""
        self._look_again(self._noticed.take())
        touched, self._touched = sorted(self._touched), set()
        found: list[Outgoing] = []
        for number, person in touched:
            mine = self._partitions.get(number, {}).get(person)
            if mine is not None:
                found += [self._outgoing(one) for one in self._changes(person, mine)]
        return found

    def _look_again(self, changes: Changes) -> None:
        if not changes:
            return
        for number, people in list(self._partitions.items()):
            all_of_them = number in changes.partitions
            for person, mine in people.items():
                if all_of_them or person in changes.people or person in changes.left or _concerned(mine, changes):
                    mine.look_again()
                    self._touched.add((number, person))

    def _changes(self, person: str, mine: Mine) -> list[Recommendation]:
        again, newest = mine.take_days()
        wanted, refused = self._wanted(person, newest)
        changes = [one for key, one in wanted.items() if mine.standing.get(key) != one]
        gone = [one for key, one in mine.standing.items() if one.day in again and key not in wanted]
        mine.standing = {key: one for key, one in mine.standing.items() if one.day not in again} | wanted
        return changes + [withdrawn(one, refused.get(one.object) or _gone_why(one, mine)) for one in gone]

    def _wanted(
        self, person: str, newest: Sequence[Recommendation]
    ) -> tuple[dict[str, Recommendation], Mapping[str, str]]:
        """Return what should stand of all candidates of some days, and why what was refused is."""
        days: dict[int, list[Recommendation]] = {}
        used: dict[int, set[str]] = {}
        refused: dict[str, str] = {}
        rules = self._rules.of(person)
        for one in newest:
            if one.object in rules.said.shown:
                used.setdefault(one.day, set()).add(one.object)
            if why := one.why or rules.against(one):
                refused[one.object] = why
            else:
                days.setdefault(one.day, []).append(rules.adjusted(one))
        given = [one for day, of in days.items() for one in selected(of, self._rules.daily, used.get(day, set()))]
        return {one.object: one for one in given}, refused

    def _outgoing(self, one: Recommendation) -> Outgoing:
        value = self._codec.encode(recommendation_out(one, self._clock()))
        return Outgoing(topic=self._topic, key=one.key, value=value, place=one.person)


def withdrawn(one: Recommendation, why: str) -> Recommendation:
    """Return the record that takes a recommendation back: who, what and why, and nothing of its content."""
    return Recommendation(
        person=one.person,
        object=one.object,
        container=one.container,
        held_out=one.held_out,
        model=one.model,
        published=one.published,
        withdrawn=True,
        why=why,
    )


def _gone_why(one: Recommendation, mine: Mine) -> str:
    oldest = min((other.published for other in mine.standing.values()), default=EPOCH)
    return "displaced" if one.published >= oldest else "old"


def _concerned(mine: Mine, changes: Changes) -> bool:
    """Return whether a candidate lies in a place that has changed, or is by or rests on somebody who has."""
    if not changes.left and not changes.places:
        return False
    return any(
        one.container in changes.places
        or one.object in changes.places
        or one.author in changes.left
        or not changes.left.isdisjoint(one.people)
        for one in mine.candidates.values()
    )


def _standing(people: dict[str, Mine], one: Recommendation) -> None:
    mine = people.setdefault(one.person, Mine())
    if one.withdrawn:
        mine.standing.pop(one.object, None)
    else:
        mine.standing[one.object] = one
