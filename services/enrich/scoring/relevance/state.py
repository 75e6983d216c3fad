"""What relevance is computed from: everything that happened, as sums that forget. Pure, bounded, no wall clock.

The same activity counts once, by its id. An activity that comes again with other people (a corrected identity) moves to
them. What is older than a year leaves the counts of actions; everything else decays.
"""

import textwrap
from collections import OrderedDict, deque
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from services.common.model import Enriched, micros
from services.enrich.scoring.engagements import Engagement, engagements, people_of
from services.enrich.scoring.relevance.decay import DAY, weight
from services.enrich.scoring.relevance.index import Index
from services.enrich.scoring.relevance.meaning import Meaning
from services.enrich.scoring.relevance.objects import Objects, Past
from services.enrich.scoring.relevance.people import NOBODY, People
from services.enrich.scoring.relevance.rising import Rising
from services.enrich.scoring.relevance.rows import Rows
from services.enrich.scoring.relevance.together import Together
from services.enrich.scoring.relevance.trigger import CONVERSATION, Said, around, asks, kind_of
from services.enrich.scoring.relevance.words import Text, title_of

YEAR = 365 * DAY
TIES = 120.0
"""Half-life in days of what ties people to each other and to places."""
PLACES = 90.0
_MOST_TIED = 30
"""People of an object, the last to come, whom a newcomer to it is tied to."""
_FEW = 5
"""Actions of somebody new."""
_LONGEST_TITLE = 80
_THIN_AT, _MOST_WORDS = 1_500, 750
_SAMPLED = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept."""

    objects: int = 60_000
    actions: int = 500_000
    people: int = 200_000


class State:
    """See the module."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.clock = 0
        self.version = 0
        """Changes with whatever is taken in or taken back."""
        self.taken = 0
        """Activities taken in."""
        self.people = People()
        self.objects = Objects(self.limits.objects)
        self.words = Index(self.limits.people, terms=_THIN_AT, postings=4_000)
        self.speakers = np.zeros(1_024, dtype=np.int64)
        """People by the place of their words, which is their slot modulo the limit."""
        self.meaning = Meaning()
        self.ties: Rows[int] = Rows()
        self.joined: Rows[int] = Rows()
        """By who began something: who joined it."""
        self.joins: Rows[int] = Rows()
        """By who joined something: who had begun it."""
        self.mentions: Rows[int] = Rows()
        """By who mentioned: who was mentioned."""
        self.mentioned_by: Rows[int] = Rows()
        self.here: Rows[str] = Rows(100_000)
        """By container: people's actions within a year."""
        self.ever: Rows[str] = Rows(100_000)
        self.regulars: Rows[str] = Rows(100_000)
        """By container: people's actions, decaying."""
        self.seen_here: Rows[str] = Rows(100_000)
        """By container: when a person was last there."""
        self.around: Rows[str] = Rows(100_000)
        """By what containers are a part of: people's actions of late."""
        self.around_ever: Rows[str] = Rows(100_000)
        self.wandered_around: Rows[str] = Rows(100_000)
        self._wider = (self.around, self.around_ever, self.wandered_around)
        self.together = Together()
        self.rising = Rising()
        self.begun: dict[str, float] = {}
        self.entered: dict[str, float] = {}
        self.entered_from_afar: dict[str, float] = {}
        self._known: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._actions: deque[tuple[int, str, int, str]] = deque()

    def observe(self, one: Enriched, said: Said | None = None) -> None:
        """Take in an activity; ``said`` where it is at hand."""
        self.version += 1
        things = engagements(one)
        slots = tuple(self.people.slot(person) for person in people_of(one))
        if not things:
            return
        known = self._known.get(one.activity.id)
        if known is not None:
            if known != slots:
                self._move(one, said or Said.of(one), known, slots)
            return
        self._known[one.activity.id] = slots
        self.taken += 1
        time = micros(one.activity.published)
        self.clock = max(self.clock, time)
        self._expire()
        said = said or Said.of(one)
        for thing in things:
            self._take(one, thing, slots, said, time)
        self._speak(one, slots, said, time)

    def _move(self, one: Enriched, said: Said, before: tuple[int, ...], now: tuple[int, ...]) -> None:
        time = micros(one.activity.published)
        left = tuple(slot for slot in before if slot not in now)
        come = tuple(slot for slot in now if slot not in before)
        for thing in engagements(one):
            past = self.objects.get(thing.object)
            if past is not None:
                for slot in left:
                    self._leave(past, slot, one, thing, time)
                for slot in come:
                    self._engage(past, slot, one, thing, time)
        for slot in left:
            self._count_words(slot, said.vector, time, -1.0)
        self._speak(one, come, said, time)
        self._known[one.activity.id] = now

    def _take(self, one: Enriched, thing: Engagement, slots: tuple[int, ...], said: Said, time: int) -> None:
        past = self.objects.get(thing.object) or self._begin(one, thing, slots, time)
        past.last = max(past.last, time)
        self.objects.take(past, one.activity.object.id, said.text)
        self.rising.take(said.text.terms, thing.container, time)
        past.vector += said.vector
        for slot in slots:
            self._engage(past, slot, one, thing, time)
            if past.kind != CONVERSATION:
                self.together.change(slot, past.text, time)
        by = slots[0] if slots else NOBODY
        for person in one.mention_people:
            self._mention(past, by, self.people.slot(person), time)

    def _begin(self, one: Enriched, thing: Engagement, slots: tuple[int, ...], time: int) -> Past:
        activity = one.activity
        home = activity.audience.container
        places = [place.name for place in activity.context if place.id == home]
        past = Past(
            key=thing.object,
            container=thing.container,
            access=home,
            place=places[0] if places else "",
            activity_object=activity.object.id,
            title=title_of(one) or textwrap.shorten(one.text[:600], _LONGEST_TITLE, placeholder=" …"),
            time=time,
            last=time,
            kind=kind_of(one),
            starter=slots[0] if slots else NOBODY,
            question=asks(one),
        )
        self.objects.begin(past)
        self.together.drop(past.text - self.limits.objects)
        self.begun[thing.container] = self.begun.get(thing.container, 0.0) + weight(time, TIES)
        if past.starter:
            self.people.add("started", past.starter, time)
        return past

    def _engage(self, past: Past, slot: int, one: Enriched, thing: Engagement, time: int) -> None:
        if slot not in past.people:
            self._join(past, slot, thing, around(one, thing), time)
        past.people[slot] = past.people.pop(slot, 0) + 1
        if self.clock - time < YEAR:
            self._act(slot, thing.container, past.kind, time)
            self._actions.append((time, one.activity.id, slot, thing.container))
        self._be_there(slot, thing.container, around(one, thing), time, 1.0)

    def _act(self, slot: int, container: str, kind: int, time: int) -> None:
        self.people.containers[slot] += not self.here.get(container, slot)
        self.here.add(container, slot, 1.0)
        self.people.act(slot, kind, time, 1)
        self.seen_here.last(container, slot, float(time))

    def _be_there(self, slot: int, container: str, wider: str, time: int, amount: float) -> None:
        self.ever.add(container, slot, amount)
        self.regulars.add(container, slot, amount * weight(time, PLACES))
        self.around.add(wider, slot, amount * weight(time, 20.0))
        self.around_ever.add(wider, slot, amount * weight(time, 180.0))
        for name in ("month", "week"):
            self.people.add(name, slot, time, amount)

    def away(self, slot: int, container: str) -> bool:
        """Return whether a container is none of a person's own: fewer than max(3, 1 %) of their actions of a year."""
        there = self.here.get(container, slot)
        return there < max(3.0, 0.01 * int(self.people.actions[slot]))

    def _join(self, past: Past, slot: int, thing: Engagement, wider: str, time: int) -> None:
        people, there = self.people, [other for other in past.people if other != slot]
        strength = 1.0 / np.log2(2.0 + len(there))
        for other in there[-_MOST_TIED:]:
            self._tie(slot, other, strength * weight(time, TIES))
        people.add("ties", slot, time, strength)
        people.add("objects", slot, time)
        norm = float(np.linalg.norm(past.vector))
        if norm:
            people.vectors["objects"].add(slot, past.vector / np.float32(norm), time)
        afar = bool(people.actions[slot] >= _FEW) and self.away(slot, thing.container)
        entered = weight(time, TIES)
        self.entered[thing.container] = self.entered.get(thing.container, 0.0) + entered
        if afar:
            self.entered_from_afar[thing.container] = self.entered_from_afar.get(thing.container, 0.0) + entered
            people.add("wandered", slot, time)
            self.wandered_around.add(wider, slot, weight(time, 60.0))
        if past.starter and past.starter != slot:
            self._join_starter(past.starter, slot, afar, past.question, time)

    def _join_starter(self, starter: int, slot: int, afar: bool, question: bool, time: int) -> None:
        self.joined.add(starter, slot, weight(time, TIES))
        self.joins.add(slot, starter, weight(time, TIES))
        self.people.add("joined", slot, time)
        if question:
            self.people.add("joined_questions", slot, time)
        self.people.add("gathered", starter, time)
        if afar:
            self.people.add("gathered_from_afar", starter, time)
        if self.people.actions[starter] < _FEW:
            self.people.add("for_newcomers", slot, time)

    def _tie(self, slot: int, other: int, strength: float) -> None:
        self.ties.add(slot, other, strength)
        self.ties.add(other, slot, strength)

    def _leave(self, past: Past, slot: int, one: Enriched, thing: Engagement, time: int) -> None:
        """Take back an engagement; ties that came of it go when it was the only one."""
        left = past.people.get(slot, 0) - 1
        if left > 0:
            past.people[slot] = left
        else:
            past.people.pop(slot, None)
            strength = weight(time, TIES) / np.log2(2.0 + len(past.people))
            for other in list(past.people)[-_MOST_TIED:]:
                self._tie(slot, other, -strength)
            self.people.add("objects", slot, time, -1.0)
        if (time, one.activity.id, slot, thing.container) in self._actions:
            self._actions.remove((time, one.activity.id, slot, thing.container))
            self._unact(slot, thing.container, past.kind, time)
        self._be_there(slot, thing.container, around(one, thing), time, -1.0)

    def _unact(self, slot: int, container: str, kind: int = 0, time: int = 0) -> None:
        if not self.here.get(container, slot):
            return  # the person was forgotten
        self.here.add(container, slot, -1.0)
        self.people.containers[slot] -= not self.here.get(container, slot)
        self.people.act(slot, kind, time, -1)

    def _mention(self, past: Past, by: int, slot: int, time: int) -> None:
        if by and by != slot:
            self.mentions.add(by, slot, weight(time, TIES))
            self.mentioned_by.add(slot, by, weight(time, TIES))
            if past.mention(slot):
                self.people.add("summoned", slot, time)

    def _speak(self, one: Enriched, slots: tuple[int, ...], said: Said, time: int) -> None:
        if said.vector.any() and crc32(one.activity.id.encode()) % _SAMPLED == 0:
            self.meaning.add(said.vector)
        for slot in slots:
            self._count_words(slot, said.vector, time, 1.0)
            held = int(self.people.texts[slot])
            if held < 0 or held not in self.words:
                held = self._words_anew(slot)
            self.words.extend(held, said.text)
            if self.words.size(held) >= _THIN_AT:
                self._thin(slot, held)

    def _count_words(self, slot: int, vector: NDArray[np.float32], time: int, amount: float) -> None:
        if vector.any():
            for name in ("words", "recent"):
                self.people.vectors[name].add(slot, vector, time, amount)

    def _words_anew(self, slot: int) -> int:
        held, _ = self.words.new()
        self.people.texts[slot] = held
        place = held % self.limits.people
        if place >= len(self.speakers):
            self.speakers = np.concatenate([self.speakers, np.zeros(len(self.speakers), dtype=np.int64)])
        self.speakers[place] = slot
        return held

    def _thin(self, slot: int, held: int) -> None:
        """Keep of a person's words those that come most, counted half: what was said once, long ago, goes first."""
        counts = sorted(self.words.counts(held).items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_WORDS]
        self.words.remove(held)
        halved = {term: (count + 1) // 2 for term, count in counts}
        self.words.extend(self._words_anew(slot), Text(halved, ()))

    def _expire(self) -> None:
        oldest = self.clock - YEAR
        while self._actions and (self._actions[0][0] < oldest or len(self._actions) > self.limits.actions):
            _, _, slot, container = self._actions.popleft()
            self._unact(slot, container)
        while len(self._known) > self.limits.actions:
            self._known.popitem(last=False)

    def withdraw(self, object_id: str) -> None:
        """Let a text be found no more."""
        self.version += 1
        self.objects.withdraw(object_id)

    def forget(self, person: str) -> None:
        """Remove a person."""
        self.version += 1
        slot = self.people.find(person)
        if slot == NOBODY:
            return
        self.words.remove(int(self.people.texts[slot]))
        self.people.forget(slot)
        self.objects.forget(slot)
        self.together.forget(slot)
        for by_person in (self.ties, self.joined, self.joins, self.mentions, self.mentioned_by):
            by_person.forget_row(slot)
            by_person.forget_column(slot)
        for by_place in (self.here, self.ever, self.regulars, self.seen_here, *self._wider):
            by_place.forget_column(slot)
        self._actions = deque(action for action in self._actions if action[2] != slot)
