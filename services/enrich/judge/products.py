"""The product's rows: the scorer that runs live, with the weights that are shipped or fitted here, and with none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.common.model import Enriched
from services.enrich.judge.metrics import Scores
from services.enrich.judge.replay import Question
from services.enrich.judge.weeks import FOUND_WITHIN, WEEK, week
from services.enrich.judge.world import Flags, World
from services.enrich.scoring.relevance import Features, Relevance, Trigger, Weights
from services.enrich.scoring.relevance.training import Examples

OURS = "watercooler"
UNTRAINED = "watercooler-untrained"
ROWS = (UNTRAINED, OURS)


@dataclass(slots=True)
class Scorer:
    """Observes and answers as in live; of the weeks of ``train`` (T, micros) it only learns.

    ``world`` gives what has happened so far. A week is learnt from once all that came of it has happened, which is so
    for every one of them before the test begins (`periods.check_apart`).
    """

    world: Callable[[], World]
    train: Sequence[int]
    _relevance: Relevance = field(default_factory=Relevance)
    _weights: Weights | None = None
    _examples: Examples = field(default_factory=Examples)
    _waiting: dict[int, list[Features]] = field(default_factory=dict)

    def observe(self, one: Enriched) -> None:
        """Take in an activity."""
        self._relevance.observe(one)

    def answer(self, start: int, questions: Sequence[Question]) -> Mapping[str, Sequence[Scores]]:
        """Return the scores of each question's people by row; nothing for a week of training."""
        triggers = [Trigger.of(one.trigger, one.thing) for one in questions]
        features = self._relevance.features(triggers, [one.people for one in questions])
        self._learn(start)
        if start in self.train:
            self._waiting[start] = features
            return {}
        if self._weights is None:
            self._weights = self._examples.fit() if self.train else Weights.shipped()
        rows = {UNTRAINED: Weights.untrained(), OURS: self._weights}
        return {name: [weights.score(one).score for one in features] for name, weights in rows.items()}

    def _learn(self, now: int) -> None:
        known = [start for start in self._waiting if start + WEEK + FOUND_WITHIN <= now]
        for start in known:
            self._examples.add(self._waiting.pop(start), came_of(self.world(), start))


def came_of(world: World, start: int) -> Flags:
    """Return what came of the pairs of a week, in the order of its questions and their people."""
    asked = week(world, start)
    return asked.positive.T[asked.candidates.T]
