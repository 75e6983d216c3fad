"""A plain scorer of relevance: experts of similar past objects. The one in ``relevance`` takes its place. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.common.model import Enriched, micros
from services.enrich.scoring.engagements import Engagement, people_of
from services.enrich.scoring.past import History, Past
from services.enrich.scoring.terms import terms_of

_SIMILAR = 50
_LEAST_SHARED = 2
_MOST_EVIDENCE = 3
_MOST_WORDS = 3
_BIAS, _EXPERTS = -6.0, 3.0


@dataclass(frozen=True, slots=True)
class Trigger:
    object: str
    container: str
    people: tuple[str, ...]
    mentioned: tuple[str, ...]
    at: int
    terms: Mapping[str, float]

    @classmethod
    def of(cls, one: Enriched, engagement: Engagement) -> "Trigger":
        return cls(
            engagement.object,
            one.activity.audience.container,
            people_of(one),
            one.mention_people,
            micros(one.activity.published),
            terms_of(one),
        )


@dataclass(frozen=True, slots=True)
class Scored:
    person: str
    score: float
    relevance: float
    unexpectedness: float
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    people: Sequence[str]
    score: NDArray[np.float64]
    unexpectedness: NDArray[np.float64]

    def of(self, i: int) -> Scored:
        score = float(self.score[i])
        logit = math.log(score / (1 - score))
        return Scored(self.people[i], score, score, float(self.unexpectedness[i]), {"experts": logit - _BIAS})


@dataclass(frozen=True, slots=True)
class Evidence:
    object: str
    activity_object: str
    title: str
    container: str
    access: str
    place: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    kind: str
    evidence: tuple[Evidence, ...] = ()
    people: tuple[str, ...] = ()


def reason(explanation: Explanation) -> str:
    if not explanation.evidence:
        return "It is about the same as something that you worked on."
    best = explanation.evidence[0]
    where = f" in {best.place}" if best.place else ""
    return f"You worked on “{best.title}”{where}; both are about {', '.join(best.words)}."


@dataclass
class Relevance:
    history: History = field(default_factory=History)

    @property
    def clock(self) -> int:
        return self.history.clock

    def observe(self, one: Enriched) -> None:
        self.history.add(one)

    def withdraw(self, object_id: str) -> None:
        self.history.withdraw(object_id)

    def forget(self, person: str) -> None:
        self.history.forget(person)

    def follow(self, person: str, kind: str, ref: str, on: bool = True) -> None:
        """Follows say nothing here."""

    def gate(self, person: str, container: str) -> bool:
        actions = self.history.actions(person)
        return self.history.actions(person, container) < max(3.0, 0.01 * actions)

    def actions(self, person: str, container: str = "") -> int:
        return self.history.actions(person, container)

    def _similar(self, trigger: Trigger) -> list[tuple[Past, float]]:
        found = self.history.similar.like(trigger.terms, trigger.at, _SIMILAR)
        pasts = [(self.history.object(key), cosine) for key, cosine in found]
        return [(past, c) for past, c in pasts if past and past.key != trigger.object and not past.withdrawn]

    def select(self, trigger: Trigger, most: int = 250) -> list[str]:
        out = {*trigger.people, *trigger.mentioned}
        return sorted({person for past, _ in self._similar(trigger) for person in past.people} - out)[:most]

    def score_batch(self, triggers: Sequence[Trigger], people: Sequence[Sequence[str]]) -> list[Scores]:
        return [self._score(trigger, each) for trigger, each in zip(triggers, people, strict=True)]

    def _score(self, trigger: Trigger, people: Sequence[str]) -> Scores:
        weights = dict.fromkeys(people, 0.0)
        for past, cosine in self._similar(trigger):
            for person in past.people:
                if person in weights:
                    weights[person] += cosine**2 / math.log10(10 + self.history.actions(person))
        logits = np.array([_BIAS + _EXPERTS * math.sqrt(weights[person]) for person in people])
        actions = [
            self.history.actions(person, trigger.container) / max(1, self.history.actions(person)) for person in people
        ]
        return Scores(people, 1 / (1 + np.exp(-logits)), 1 - np.array(actions))

    def explain(self, trigger: Trigger, person: str) -> Explanation:
        rarity = self.history.similar.rarity
        found = []
        for past, _ in self._similar(trigger):
            shared = trigger.terms.keys() & past.terms.keys()
            if person in past.people and len(shared) >= _LEAST_SHARED:
                weights = {t: trigger.terms[t] * past.terms[t] * rarity(t) for t in shared}
                words = tuple(sorted(weights, key=lambda t: (-weights[t], -len(t), t))[:_MOST_WORDS])
                found.append(
                    Evidence(past.key, past.object, past.title, past.container, past.container, past.place, words)
                )
        return Explanation("similar", tuple(found[:_MOST_EVIDENCE]))
