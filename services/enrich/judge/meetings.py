"""What the product says of people, replayed: who will meet, and which groups are on the same work, unaware.

Asked about a moment, it has observed what was before, and nothing of what follows.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.common.model import Enriched, micros
from services.enrich.judge.metrics import Scores
from services.enrich.judge.weeks import eligible
from services.enrich.judge.world import World
from services.enrich.meeting.links import Links
from services.enrich.meeting.same_work import SameWork, same_work
from services.enrich.meeting.things import Things

_PART = re.compile(r"\w{3,}")


@dataclass(slots=True)
class Meetings:
    """Feeds the product's scorer of people links, and asks it at each of ``starts`` (T, micros) about all pairs.

    ``answers`` holds, by T, scores of the people of T, shape (n, n), symmetric.
    """

    starts: Sequence[int]
    world: Callable[[], World]
    answers: dict[int, Scores] = field(default_factory=dict)
    links: Links = field(default_factory=Links)

    def take(self, batch: Iterable[Enriched]) -> None:
        """Take in activities, oldest first; ``world`` must know them already."""
        for one in batch:
            while (start := self._start()) is not None and micros(one.activity.published) > start:
                self._ask(start)
            self.links.observe(one)

    def end(self) -> None:
        """Answer what is still open: there are no more activities."""
        while (start := self._start()) is not None:
            self._ask(start)

    def _start(self) -> int | None:
        return self.starts[len(self.answers)] if len(self.answers) < len(self.starts) else None

    def _ask(self, start: int) -> None:
        world = self.world()
        people = [world.people[number] for number in eligible(world, start)[0]]
        table = np.zeros((len(people), len(people)))
        one, other = np.triu_indices(len(people), 1)
        pairs = [(people[a], people[b]) for a, b in zip(one, other, strict=True)]
        if pairs:
            table[one, other] = table[other, one] = self.links.score(pairs, start)
        self.answers[start] = table


@dataclass(slots=True)
class Unaware:
    """Looks at each of ``moments`` (micros) for groups on the same work. ``found`` has each pair once, with the first.

    Words that somebody is called by are left out of what two groups have in common.
    """

    moments: Sequence[int]
    found: dict[str, tuple[int, SameWork]] = field(default_factory=dict)
    _links: Links = field(default_factory=Links)
    _things: Things = field(default_factory=Things)
    _names: set[str] = field(default_factory=set)
    _next: int = 0

    def take(self, batch: Iterable[Enriched]) -> None:
        """Take in activities, oldest first."""
        for one in batch:
            while self._next < len(self.moments) and micros(one.activity.published) > self.moments[self._next]:
                self._look(self.moments[self._next])
                self._next += 1
            self._links.observe(one)
            self._things.observe(one)
            for name in (one.activity.actor.name, one.activity.actor.handle):
                self._names.update(_PART.findall(name.lower()))

    def _look(self, at: int) -> None:
        pairs = same_work(self._things, at, lambda person: self._links.neighbours(person, at))
        for pair in pairs:
            words = tuple(word for word in pair.words if word not in self._names)
            self.found.setdefault(pair.key, (at, replace(pair, words=words)))
