"""What rises: topics that more people take up than the past and the place's size explain. Pure.

A topic is a tag or a key phrase. It counts once per person and thing, in weeks of event time; so one person who says it
ten times is one, and what comes twice changes nothing. What is expected is the share that the topic had in the eight
weeks before, of what happens in the place this week: a busy week by itself makes nothing rise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from services.common.model import Enriched, micros
from services.common.rising import LEAST_COUNT, LEAST_SCORE, surprise
from services.enrich.meeting.attendance import DAY
from services.enrich.scoring.engagements import engagements, people_of

WEEK = 7 * DAY
_MONDAY = 4 * DAY
"""1970-01-05, the first Monday after the epoch."""
_PAST_WEEKS = 8
_LEAST_VOLUME = 20
"""Marks in a place's past below which nothing is known of what is usual there."""
_LEAST_PEOPLE = 3
_LEAST_CARRIED, _LEAST_ORIGIN = 3, 3
_MOST_PARTS, _MOST_OBJECTS, _MOST_TRENDS = 20, 5, 50


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody took up a topic: in which thing, by which object (whose withdrawal takes it back), when (micros)."""

    person: str
    thing: str
    object: str
    time: int


@dataclass(frozen=True, slots=True)
class Part:
    """A trend in one container."""

    container: str
    count: int
    expected: float
    people: tuple[str, ...]
    objects: tuple[str, ...]
    """Newest examples, ids of objects."""


@dataclass(frozen=True, slots=True)
class Trend:
    """``kind`` is "rise", or "jump": then the first part is where it was before. ``window`` is its first moment."""

    kind: str
    topic: str
    window: int
    parts: tuple[Part, ...]

    @property
    def key(self) -> str:
        """Key in ``trend.v1``."""
        return f"{self.kind}:{self.topic}|{self.window}"

    @property
    def score(self) -> float:
        """How unexpected it is, over all parts."""
        return surprise(sum(part.count for part in self.parts), sum(part.expected for part in self.parts))


def week_of(time: int) -> int:
    """Return the first moment (micros) of the week of ``time``, Monday 00:00 UTC."""
    return (time - _MONDAY) // WEEK * WEEK + _MONDAY


@dataclass(slots=True)
class _Week:
    marks: defaultdict[str, defaultdict[str, set[Mark]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    """By topic and container."""
    volume: defaultdict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    """Person and thing, by container."""


class Trends:
    """Nine weeks of marks. ``clock`` is the largest event time seen."""

    def __init__(self) -> None:
        self.clock = 0
        self._weeks: dict[int, _Week] = {}

    def observe(self, one: Enriched) -> None:
        """Take in an activity; bots' and what is older than nine weeks count for nothing."""
        time = micros(one.activity.published)
        self.clock = max(self.clock, time)
        week = week_of(time)
        if one.automated or week < week_of(self.clock) - _PAST_WEEKS * WEEK:
            return
        self._note(self._weeks.setdefault(week, _Week()), one, time)
        for old in [begun for begun in self._weeks if begun < week_of(self.clock) - _PAST_WEEKS * WEEK]:
            del self._weeks[old]

    def _note(self, week: _Week, one: Enriched, time: int) -> None:
        container = one.activity.audience.container
        for thing in {engaged.object for engaged in engagements(one)}:
            for person in people_of(one):
                week.volume[container].add((person, thing))
                for topic in {topic.lower() for topic in (*one.tags, *one.phrases)}:
                    week.marks[topic][container].add(Mark(person, thing, one.activity.object.id, time))

    def withdraw(self, object_id: str) -> None:
        """Forget what was said in an object."""
        self._drop(lambda mark: mark.object == object_id)

    def forget(self, person: str) -> None:
        """Forget what a person said."""
        self._drop(lambda mark: mark.person == person)

    def _drop(self, which: Callable[[Mark], bool]) -> None:
        for week in self._weeks.values():
            for places in week.marks.values():
                for marks in places.values():
                    marks -= {mark for mark in marks if which(mark)}

    def rising(self, week: int, hidden: Callable[[str], bool] = lambda _: False) -> list[Trend]:
        """Return what rises in a week and what has jumped, the most unexpected first; at most 50 of each.

        ``hidden`` says of an object that it is not to be counted, since not all who may open its place may open it.
        """
        now = self._weeks.get(week)
        if now is None:
            return []
        past = [self._weeks[begun] for begun in sorted(self._weeks) if begun < week]
        usual = {container: sum(len(one.volume.get(container, ())) for one in past) for container in now.volume}
        rises, jumps = [], []
        for topic in now.marks:
            before = _places([one.marks[topic] for one in past if topic in one.marks], hidden)
            parts = self._parts(_places([now.marks[topic]], hidden), before, usual, now)
            rises += _rise(topic, week, parts)
            everywhere = sum(map(_count, before.values())) / max(1, sum(usual.values()))
            jumps += _jump(topic, week, parts, before, everywhere, now)
        return _best(rises) + _best(jumps)

    def _parts(
        self, marks: Mapping[str, set[Mark]], before: Mapping[str, set[Mark]], usual: Mapping[str, int], now: _Week
    ) -> list[Part]:
        found = []
        for container, here in marks.items():
            if usual[container] >= _LEAST_VOLUME:
                share = (_count(before.get(container, ())) + 0.5) / (usual[container] + 1)
                found.append(_part(container, here, share * len(now.volume[container])))
        return sorted(found, key=lambda part: (-surprise(part.count, part.expected), part.container))[:_MOST_PARTS]


def _places(weeks: Iterable[Mapping[str, set[Mark]]], hidden: Callable[[str], bool]) -> dict[str, set[Mark]]:
    """Return the marks of several weeks by container, without hidden ones; no empty sets."""
    found: defaultdict[str, set[Mark]] = defaultdict(set)
    for places in weeks:
        for container, marks in places.items():
            found[container] |= {mark for mark in marks if not hidden(mark.object)}
    return {container: marks for container, marks in found.items() if marks}


def _count(marks: Iterable[Mark]) -> int:
    return len({(mark.person, mark.thing) for mark in marks})


def _part(container: str, marks: set[Mark], expected: float) -> Part:
    newest = sorted(marks, key=lambda mark: (-mark.time, mark.object))
    return Part(
        container=container,
        count=_count(marks),
        expected=expected,
        people=tuple(sorted({mark.person for mark in marks})),
        objects=tuple(dict.fromkeys(mark.object for mark in newest))[:_MOST_OBJECTS],
    )


def _rise(topic: str, week: int, parts: list[Part]) -> list[Trend]:
    rising = tuple(part for part in parts if part.count > part.expected)
    trend = Trend("rise", topic, week, rising)
    people = {person for part in rising for person in part.people}
    enough = sum(part.count for part in rising) >= LEAST_COUNT and len(people) >= _LEAST_PEOPLE
    return [trend] if enough and trend.score >= LEAST_SCORE else []


def _jump(
    topic: str, week: int, parts: list[Part], before: Mapping[str, set[Mark]], share: float, now: _Week
) -> list[Trend]:
    """Return a trend where a topic is taken up that was at home elsewhere, and never was here.

    ``share`` is the topic's part of the past of all places together: what is common everywhere does not jump.
    """
    homes = {container: _count(marks) for container, marks in before.items()}
    arrived = [
        part
        for part in parts
        if part.container not in homes
        and part.count >= _LEAST_CARRIED
        and len(part.people) > 1
        and surprise(part.count, max(share * len(now.volume[part.container]), 0.1)) >= LEAST_SCORE
    ]
    home = max(homes, key=lambda container: (homes[container], container), default="")
    if not arrived or homes.get(home, 0) < _LEAST_ORIGIN:
        return []
    return [Trend("jump", topic, week, (_part(home, before[home], float(homes[home])), *arrived))]


def _best(trends: list[Trend]) -> list[Trend]:
    """Return the most unexpected; of several topics that rest on the same examples, the longest."""
    found: dict[tuple[tuple[str, ...], ...], Trend] = {}
    for trend in sorted(trends, key=lambda trend: (-trend.score, -len(trend.topic), trend.topic)):
        found.setdefault(tuple(part.objects for part in trend.parts), trend)
    return list(found.values())[:_MOST_TRENDS]
