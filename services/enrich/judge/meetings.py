"""The product's scorer of people links, replayed: asked at each T about all pairs, before it observes what follows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.common.model import Enriched, micros
from services.enrich.judge.metrics import Scores
from services.enrich.judge.weeks import eligible
from services.enrich.judge.world import World
from services.enrich.meeting.links import Links


@dataclass(slots=True)
class Meetings:
    """Feeds ``Links``. ``answers`` holds, by T, scores of the people of T, shape (n, n), symmetric."""

    starts: Sequence[int]
    world: Callable[[], World]
    answers: dict[int, Scores] = field(default_factory=dict)
    _links: Links = field(default_factory=Links)

    def take(self, batch: Iterable[Enriched]) -> None:
        """Take in activities, oldest first; ``world`` must know them already."""
        for one in batch:
            while (start := self._start()) is not None and micros(one.activity.published) > start:
                self._ask(start)
            self._links.observe(one)

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
            table[one, other] = table[other, one] = self._links.score(pairs, start)
        self.answers[start] = table
