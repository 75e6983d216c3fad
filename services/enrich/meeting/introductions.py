"""People to meet: unlinked people with common ground, what it is, and who could introduce them. Pure.

Candidates come through inverted indexes: whoever took part in things like those that one took part in lately, and
whoever was in the same crowds. How likely they are to meet says ``Links``; how alike their work is counts beside it.
Nothing is suggested without common ground that both may open: not for what one side does in private.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

from services.common.model import Enriched
from services.enrich.meeting.attendance import DAY
from services.enrich.meeting.graph import LARGEST
from services.enrich.meeting.links import Links
from services.enrich.meeting.things import Thing, Things
from services.enrich.meeting.ties import Ties, pair_of
from services.enrich.scoring.similar import Similar

MODEL = "meet-1"
_RECENT, _LAST = 120 * DAY, 60 * DAY
_MOST_THINGS, _MOST_LIKE, _MOST_CANDIDATES = 15, 30, 40
_LEAST_THINGS = 3
"""Things within a year of somebody who may be suggested to others: of newcomers too little is known."""
_LEAST_WORDS, _MOST_WORDS = 2, 3
_A_COPY = 0.95
"""Likeness from which two texts are one that was copied, such as a template: that says nothing about who wrote it."""
_MOST_GROUND, _MOST_INTRODUCERS = 3, 3
_ALIKE, _CROWD = 2.0, 0.3
"""What the likeness of work (cosine), and a crowd in which both were, count beside the log-odds of meeting."""


@dataclass(frozen=True, slots=True)
class Place:
    """An object, and the container whose access decides."""

    object: str
    container: str


@dataclass(frozen=True, slots=True)
class Ground:
    """Something in common: a thing of each that are alike, with the words they share, or one thing where both were."""

    places: tuple[Place, ...]
    words: tuple[str, ...] = ()
    likeness: float = 0.0


@dataclass(frozen=True, slots=True)
class Introducer:
    """Somebody tied to both, with the thing that ties them to the one and to the other of the pair."""

    person: str
    places: tuple[Place, Place]


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two people, in order, who should meet. ``terms`` add up to ``score``."""

    pair: tuple[str, str]
    score: float
    terms: dict[str, float]
    ground: tuple[Ground, ...]
    introducers: tuple[Introducer, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What may be asked about people."""

    may_open: Callable[[str, str, str], bool]
    """person, container, object"""
    excluded: Callable[[str], bool]
    declined: Callable[[str, str], bool]
    """Whether the first has declined to meet the second."""


@dataclass(slots=True)
class _Candidate:
    ground: list[Ground] = field(default_factory=list)
    crowds: int = 0

    @property
    def likeness(self) -> float:
        return max((one.likeness for one in self.ground), default=0.0)

    @property
    def common(self) -> float:
        return _ALIKE * self.likeness + _CROWD * min(self.crowds, _MOST_GROUND)


class Introductions:
    """What is known of people, for suggesting whom to meet. One clock: the largest event time seen."""

    def __init__(self, links: Links | None = None, things: Things | None = None, most_things: int = 60_000) -> None:
        self.links = links or Links()
        self.things = things or Things(most_things)
        self.ties = Ties(self.things)
        self._similar = Similar(most_things)
        self._slots: dict[str, int] = {}

    def observe(self, one: Enriched) -> None:
        """Take in an activity; the same one again changes nothing."""
        self.links.observe(one)
        touched = self.things.observe(one)
        self.ties.observe(one, touched)
        for thing, _ in touched:
            if thing.terms and thing.key not in self._slots:
                self._slots[thing.key], gone = self._similar.add(thing.key, thing.terms, thing.began[0])
                self._slots.pop(gone, None)

    def withdraw(self, object_id: str) -> tuple[str, ...]:
        """Let what an object said be evidence of nothing; return who had to do with it."""
        thing = self.things.withdraw(object_id)
        if thing is None:
            return ()
        self.ties.touch(thing)
        if thing.key in self._slots:
            self._similar.remove(self._slots.pop(thing.key))
        return tuple(thing.people)

    def forget(self, person: str) -> None:
        """Let a person have been nowhere and met nobody."""
        self.links.attendance.forget(person)
        self.ties.forget(person)
        self.things.forget(person)

    def meetings(self, person: str, asked: Asked, most: int = 3) -> list[Meeting]:
        """Return whom a person should meet, the best first; nobody for whom too little is known."""
        at = self.things.clock
        if asked.excluded(person) or not self._known(person):
            return []
        linked = {person, *self.links.neighbours(person, at), *self.ties.of(person)}
        found = self._candidates(person, linked, asked)
        likely = sorted(found, key=lambda other: (-found[other].common, other))[:_MOST_CANDIDATES]
        if not likely:
            return []
        odds = self.links.score([(person, other) for other in likely], at)
        scores = {other: float(log) + found[other].common for other, log in zip(likely, odds, strict=True)}
        best = sorted(likely, key=lambda other: (-scores[other], other))[:most]
        return [self._meeting(person, other, scores[other], found[other], asked) for other in best]

    def _known(self, person: str) -> bool:
        return self.things.number_of(person) >= _LEAST_THINGS and self.things.seen(person) > self.things.clock - _LAST

    def _candidates(self, person: str, linked: set[str], asked: Asked) -> dict[str, _Candidate]:
        found: defaultdict[str, _Candidate] = defaultdict(_Candidate)
        out = set(linked)
        for mine in self._recent(person, asked):
            others = chain([(mine.key, 0.0)], self._like(mine))
            for key, likeness in others:
                self._add(person, mine, self.things.get(key), likeness, found, out, asked)
        return dict(found)

    def _recent(self, person: str, asked: Asked) -> list[Thing]:
        recent = [t for t in self.things.of(person) if t.last > self.things.clock - _RECENT and not t.withdrawn]
        return [thing for thing in recent if not asked.excluded(thing.author)][:_MOST_THINGS]

    def _like(self, mine: Thing) -> list[tuple[str, float]]:
        return self._similar.like(mine.terms, self.things.clock + 1, _MOST_LIKE) if mine.terms else []

    def _add(
        self,
        person: str,
        mine: Thing,
        theirs: Thing | None,
        likeness: float,
        found: dict[str, _Candidate],
        out: set[str],
        asked: Asked,
    ) -> None:
        if theirs is None or theirs.withdrawn or asked.excluded(theirs.author) or likeness >= _A_COPY:
            return
        same = theirs is mine
        # In a small thing of one's own, whoever was there is linked already.
        if len(mine.people) <= LARGEST if same else person in theirs.people:
            return
        ground = self._ground(mine, theirs, likeness)
        if ground is None:
            return
        for other in theirs.people:
            if other not in found and other not in out and not self._may_suggest(person, other, asked):
                out.add(other)
            if other in out or not _open_to(ground, person, other, asked):
                continue
            found[other].ground.append(ground)
            found[other].crowds += same

    def _ground(self, mine: Thing, theirs: Thing, likeness: float) -> Ground | None:
        if mine is theirs:
            return Ground((Place(mine.object, mine.container),))
        rarity = self._similar.rarity
        weights = {t: mine.terms[t] * theirs.terms[t] * rarity(t) for t in mine.terms.keys() & theirs.terms.keys()}
        if len(weights) < _LEAST_WORDS:
            return None
        words = sorted(weights, key=lambda term: (-weights[term], term))[:_MOST_WORDS]
        places = (Place(mine.object, mine.container), Place(theirs.object, theirs.container))
        return Ground(places, tuple(words), likeness)

    def _may_suggest(self, person: str, other: str, asked: Asked) -> bool:
        declined = asked.declined(person, other) or asked.declined(other, person)
        return not declined and not asked.excluded(other) and self._known(other)

    def _meeting(self, person: str, other: str, score: float, candidate: _Candidate, asked: Asked) -> Meeting:
        pair = pair_of(person, other)
        terms = self.links.terms(*pair, self.things.clock)
        terms |= {"alike work": _ALIKE * candidate.likeness, "common crowds": candidate.common}
        terms["common crowds"] -= terms["alike work"]
        terms["usual"] = self.links.weights.bias
        ground = sorted(candidate.ground, key=lambda one: (-one.likeness, one.places[0].object))
        best = list({one.places[-1].object: one for one in reversed(ground)}.values())[::-1][:_MOST_GROUND]
        if pair[0] != person:
            best = [Ground(one.places[::-1], one.words, one.likeness) for one in best]
        return Meeting(pair, score, terms, tuple(best), self._introducers(pair, asked))

    def _introducers(self, pair: tuple[str, str], asked: Asked) -> tuple[Introducer, ...]:
        """Return who is tied to both, the strongest weaker tie first; only by things that all concerned may open."""
        one, other = self.ties.of(pair[0]), self.ties.of(pair[1])
        between = sorted(one.keys() & other.keys(), key=lambda z: (-min(one[z].strength, other[z].strength), z))
        found: list[Introducer] = []
        for person in between:
            places = [self._tying(one[person].objects, pair, asked), self._tying(other[person].objects, pair, asked)]
            if places[0] and places[1] and not asked.excluded(person):
                found.append(Introducer(person, (places[0], places[1])))
            if len(found) == _MOST_INTRODUCERS:
                break
        return tuple(found)

    def _tying(self, keys: tuple[str, ...], pair: tuple[str, str], asked: Asked) -> Place | None:
        things = [thing for key in keys if (thing := self.things.get(key)) and not thing.withdrawn]
        places = (Place(thing.object, thing.container) for thing in things)
        return next((p for p in places if all(asked.may_open(who, p.container, p.object) for who in pair)), None)


def _open_to(ground: Ground, person: str, other: str, asked: Asked) -> bool:
    return all(asked.may_open(who, p.container, p.object) for p in ground.places for who in (person, other))
