"""People and topics together: what is taken in from the log, and what should be said of it. Pure.

Whoever has left is not taken in; what they did before is forgotten at once. What is withdrawn keeps saying that
somebody was there, as the log does, and nothing of what was said.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from services.common.model import Enriched
from services.enrich.meeting.introductions import Asked, Introductions, Meeting
from services.enrich.meeting.same_work import SameWork, same_work
from services.enrich.meeting.trends import WEEK, Trend, Trends, week_of
from services.enrich.scoring.engagements import people_of

Pair = tuple[str, str]


class Society:
    """All that is known; ``due`` are people who did something since whom they should meet was asked last."""

    def __init__(self) -> None:
        self.introductions = Introductions()
        self.trends = Trends()
        self._due: dict[str, None] = {}
        self._left: frozenset[str] = frozenset()

    @property
    def clock(self) -> int:
        """The largest event time seen, in micros."""
        return self.introductions.things.clock

    def take(self, one: Enriched, *, gone: bool) -> None:
        """Take in an activity; ``gone`` says that the text of its object is withdrawn."""
        one = _without(one, self._left)
        if gone:
            self._due |= dict.fromkeys(self.introductions.withdraw(one.activity.object.id))
            self.trends.withdraw(one.activity.object.id)
            one = replace(one, text="", tags=(), phrases=())
        self.introductions.observe(one)
        self.trends.observe(one)
        self._due |= dict.fromkeys(people_of(one))

    def leave(self, left: frozenset[str]) -> bool:
        """Take note who has left by now; return whether somebody has come back, who can only be read anew."""
        for person in left - self._left:
            self.introductions.forget(person)
            self.trends.forget(person)
            self._due[person] = None
        back = bool(self._left - left)
        self._left = left
        return back

    def take_due(self, most: int) -> list[str]:
        """Return people for whom to ask, those who wait longest first."""
        due = list(self._due)[:most]
        for person in due:
            del self._due[person]
        return due

    @property
    def waiting(self) -> bool:
        """Whether anybody is due."""
        return bool(self._due)

    def meetings(self, people: Iterable[str], standing: Callable[[str], Iterable[Pair]], asked: Asked) -> "Meetings":
        """Return whom these people should meet, and which of the pairs that stand should stand no more."""
        wanted: dict[Pair, Meeting] = {}
        asked_for: dict[str, set[Pair]] = {}

        def ask(person: str) -> set[Pair]:
            if person not in asked_for:
                found = {one.pair: one for one in self.introductions.meetings(person, asked)}
                wanted.update(found)
                asked_for[person] = set(found)
            return asked_for[person]

        over: dict[Pair, None] = {}
        for person in people:
            mine = ask(person)
            gone = [pair for pair in standing(person) if pair not in mine]
            # The other one's list may hold this person still.
            over |= dict.fromkeys(pair for pair in gone if pair not in ask(pair[pair[0] == person]))
        return Meetings(wanted, [pair for pair in over if pair not in wanted])

    def rising(self, hidden: Callable[[str], bool]) -> Iterator[Trend]:
        """Yield what rises in this week and the one before."""
        for week in self.weeks:
            yield from self.trends.rising(week, hidden)

    @property
    def weeks(self) -> tuple[int, int]:
        """First moments of the week before and of this one."""
        return week_of(self.clock) - WEEK, week_of(self.clock)

    def same_work(self) -> list[SameWork]:
        """Return groups on the same work."""
        links = self.introductions.links
        return same_work(
            self.introductions.things, self.clock, lambda person: links.neighbours(person, self.clock).keys()
        )


@dataclass(frozen=True, slots=True)
class Meetings:
    """Pairs that should meet, and pairs that stand and should not."""

    wanted: dict[Pair, Meeting]
    over: list[Pair]


def _without(one: Enriched, left: frozenset[str]) -> Enriched:
    if left.isdisjoint((one.person, *one.coauthor_people, *one.mention_people)):
        return one
    return replace(
        one,
        person="" if one.person in left else one.person,
        coauthor_people=tuple(person for person in one.coauthor_people if person not in left),
        mention_people=tuple(person for person in one.mention_people if person not in left),
    )
