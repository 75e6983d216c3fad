"""The product's scorer, replayed: it observes every activity in its order, and is asked on each Monday T. Pure.

What is scored comes up in (T, T + 7 d]. Those activities are held back until all of the week's questions are answered,
so that the scorer knows the history up to T and of each trigger the trigger alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from services.common.model import Enriched, micros
from services.enrich.judge.metrics import Scores
from services.enrich.judge.weeks import WEEK, Week, week
from services.enrich.judge.world import World
from services.enrich.scoring.engagements import Engagement, engagements


@dataclass(frozen=True, slots=True)
class Question:
    """A trigger, the object that comes up by it, and who are its candidates."""

    trigger: Enriched
    thing: Engagement
    people: Sequence[str]


class Product(Protocol):
    """What is judged: the scorer as it runs live, in as many versions as rows of the table (by name)."""

    def observe(self, one: Enriched) -> None:
        """Take in an activity."""

    def answer(self, start: int, questions: Sequence[Question]) -> Mapping[str, Sequence[Scores]]:
        """Return for each row the scores of each question's people."""


@dataclass(slots=True)
class Replay:
    """Feeds a product. ``world`` gives what has happened so far; ``answers`` holds, by T, scores of shape (n, m)."""

    product: Product
    starts: Sequence[int]
    world: Callable[[], World]
    answers: dict[int, dict[str, Scores]] = field(default_factory=dict)
    _next: int = 0
    _held: list[Enriched] = field(default_factory=list)

    def take(self, batch: Iterable[Enriched]) -> None:
        """Take in activities, oldest first; ``world`` must know them already."""
        for one in batch:
            time = micros(one.activity.published)
            while (start := self._start()) is not None and time > start + WEEK:
                self._ask(start)
            if start is not None and time > start:
                self._held.append(one)
            else:
                self.product.observe(one)

    def end(self) -> None:
        """Answer what is still open: there are no more activities."""
        while (start := self._start()) is not None:
            self._ask(start)

    def _start(self) -> int | None:
        return self.starts[self._next] if self._next < len(self.starts) else None

    def _ask(self, start: int) -> None:
        world = self.world()
        self.answers[start] = answered(self.product, world, week(world, start), self._held)
        self._next += 1
        held, self._held = self._held, []
        following = self._start()
        for one in held:
            if following is not None and micros(one.activity.published) > following:
                self._held.append(one)
            else:
                self.product.observe(one)


def answered(product: Product, world: World, asked: Week, held: Sequence[Enriched]) -> dict[str, Scores]:
    """Return the product's scores of a week by row; what is no candidate has minus infinity."""
    by_id = {one.activity.id: one for one in held}
    columns, questions = [], []
    for column, (trigger, thing) in enumerate(zip(asked.triggers, asked.objects, strict=True)):
        rows = np.flatnonzero(asked.candidates[:, column])
        one = by_id[world.activities[trigger]]
        of = next(given for given in engagements(one) if given.object == world.objects[thing])
        columns.append((column, rows))
        questions.append(Question(one, of, [world.people[person] for person in asked.people[rows]]))
    tables: dict[str, Scores] = {}
    for name, found in product.answer(asked.start, questions).items():
        tables[name] = table = np.full(asked.candidates.shape, -np.inf)
        for (column, rows), scores in zip(columns, found, strict=True):
            table[rows, column] = scores
    return tables
