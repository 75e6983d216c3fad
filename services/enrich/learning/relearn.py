"""Weights from a history, compared on weeks held out with those in use. Pure but for reading the file.

The last quarter of the weeks is held out. What is learned from is known by then: of each week the 14 days after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.common.collecting import seldom_collected
from services.common.errors import Stop
from services.common.model import Enriched
from services.enrich.judge import periods
from services.enrich.judge.metrics import RANKING, Scores, ordered, ranking, tie_breaks
from services.enrich.judge.products import came_of
from services.enrich.judge.reading import Told, opened_history, read
from services.enrich.judge.replay import Question, Replay
from services.enrich.judge.weeks import FOUND_WITHIN, WEEK, week
from services.enrich.judge.world import Builder, Flags, World
from services.enrich.learning.feedback import Said
from services.enrich.scoring.relevance import Features, Relevance, Trigger, Weights
from services.enrich.scoring.relevance.training import Examples

BEFORE, AFTER = "before", "after"
_HELD_OUT = 0.25
_FEWEST_WEEKS = 8


@dataclass(frozen=True, slots=True)
class Relearned:
    """New weights, and by row the metrics of the weeks held out: those in use before, and the new ones."""

    weights: Weights
    metrics: Mapping[str, Mapping[str, float]]
    person_weeks: int
    learned: int
    held_out: int

    @property
    def better(self) -> bool:
        """Whether the new weights order the weeks held out at least as well."""
        return self.metrics[AFTER]["ndcg@10"] >= self.metrics[BEFORE]["ndcg@10"]


@dataclass(slots=True)
class Learner:
    """Learns from the weeks of ``learn`` (T, micros) and answers those after them with both weights."""

    world: Callable[[], World]
    learn: frozenset[int]
    before: Weights
    said: Said
    relevance: Relevance = field(default_factory=Relevance)
    after: Weights | None = None
    examples: Examples = field(default_factory=Examples)
    waiting: dict[int, tuple[Sequence[Question], list[Features]]] = field(default_factory=dict)

    def observe(self, one: Enriched) -> None:
        """Take in an activity."""
        self.relevance.observe(one)

    def answer(self, start: int, questions: Sequence[Question]) -> Mapping[str, Sequence[Scores]]:
        """Return both rows' scores for a week held out; nothing for one to learn from."""
        triggers = [Trigger.of(one.trigger, one.thing) for one in questions]
        features = self.relevance.features(triggers, [one.people for one in questions])
        self._take_known(start)
        if start in self.learn:
            self.waiting[start] = questions, features
            return {}
        if self.after is None:
            self.after = self.examples.fit(prior=self.before, about="trained on the organisation's own history")
        rows = {BEFORE: self.before, AFTER: self.after}
        return {name: [weights.score(one).score for one in features] for name, weights in rows.items()}

    def _take_known(self, now: int) -> None:
        for start in [start for start in self.waiting if start + WEEK + FOUND_WITHIN <= now]:
            questions, features = self.waiting.pop(start)
            labels = came_of(self.world(), start)
            self.examples.add(features, _with_feedback(labels, questions, self.said))


def _with_feedback(labels: Flags, questions: Sequence[Question], said: Said) -> Flags:
    """Return the labels, where somebody said something as it was said."""
    if not said:
        return labels
    labels, place = labels.copy(), 0
    for one in questions:
        for person in one.people:
            for name in (one.thing.object, one.trigger.activity.object.id):
                if (person, name) in said:
                    labels[place] = said[person, name]
            place += 1
    return labels


def relearn(path: str, period: tuple[int, int] | None, before: Weights, said: Said, told: Told) -> Relearned:
    """Return new weights and how they compare. Raises Stop when there is too little to learn from."""
    history = opened_history(path, told)
    weeks = periods.starts(history.first, history.last, period or (history.first, history.last + 1), "from and --to")
    if len(weeks) < _FEWEST_WEEKS:
        raise Stop(f"{len(weeks)} whole weeks are too few to learn from and to compare; {_FEWEST_WEEKS} are needed")
    cut = len(weeks) - max(2, int(_HELD_OUT * len(weeks)))
    builder = Builder()
    learner = Learner(builder.world, frozenset(weeks[:cut]), before, said)
    replay = Replay(learner, weeks, builder.world)
    with seldom_collected():
        for batch in read(history, told):
            builder.add(batch)
            replay.take(batch)
    replay.end()
    assert learner.after is not None, "weeks held out were answered"
    person_weeks, metrics = _compared(builder.world(), replay.answers, weeks[cut:])
    return Relearned(learner.after, metrics, person_weeks, cut, len(weeks) - cut)


def _compared(
    world: World, answers: Mapping[int, Mapping[str, Scores]], starts: Sequence[int]
) -> tuple[int, dict[str, dict[str, float]]]:
    sums: dict[str, NDArray[np.float64]] = {name: np.zeros(len(RANKING)) for name in (BEFORE, AFTER)}
    count = 0
    for start in starts:
        one = week(world, start)
        breaks = tie_breaks(one, one.people, one.objects)
        found = 0
        for name, total in sums.items():
            scores = answers[start][name]
            found, measured = ranking(scores, ordered(scores, one.candidates, breaks), one.candidates, one.positive)
            total += measured
        count += found
    means = {name: dict(zip(RANKING, (total / max(count, 1)).tolist(), strict=True)) for name, total in sums.items()}
    return count, means
