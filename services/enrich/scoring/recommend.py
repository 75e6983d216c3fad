"""Whom an activity that begins something may help: selected, gated, scored, and explained for those who are told. Pure.

What begins something: an object in which nothing happened for a week. State is taken in by chunks of up to 64
activities or a minute of event time, and everything in a chunk is scored as of the chunk's beginning: so scoring works
in bulk, and how the log was cut into reads changes nothing.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.common.model import Enriched, micros
from services.common.recommendation import DAY, Evidence, Recommendation
from services.enrich.scoring.engagements import engagements, people_of
from services.enrich.scoring.relevance import Relevance, Said, Scored, Scores, Trigger, reason

MODEL = "relevance-1"
_QUIET = 7 * DAY
"""Microseconds without an event after which an object begins anew."""
_LATE = 14 * DAY
"""Microseconds behind the clock from which on something is history that came late, and no news to anybody."""
_CHUNK = 64
_SPAN = 60 * 1_000_000
"""Microseconds of event time that a chunk spans at most."""
_MOST_OBJECTS = 200_000
_MOST_KNOWN = 200_000
"""Activities among which a repetition is known as one."""
_MOST_CANDIDATES = 250
_LEAST_ACTIONS = 3
"""Actions of a year below which nobody is at home anywhere, so that everything would seem unexpected."""
_MOST_PEOPLE = 10
"""People told of one thing at most: an announcement to everybody is no recommendation."""
_LEAST_TERM = 0.02
"""Log-odds below which a term is not worth naming."""
_LEAST_SCORE = 0.0005
"""Probability below which nobody is told: half that of a person and an unexpected thing taken at random
(docs/evaluate.md: one in 900), since a small organisation's few people share few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the recommender may ask about a person."""

    may_open: Callable[[str, str, str], bool]
    """person, container, object"""
    left: Callable[[str], bool]
    unit: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Begun:
    """An activity that begins something, and its triggers. ``place`` is where it stands among those asked for."""

    place: int
    one: Enriched
    triggers: tuple[Trigger, ...]


class Likely(NamedTuple):
    """How likely a thing helps one person, by which of its triggers, and where that stands among the scores."""

    score: float
    trigger: Trigger
    scores: Scores
    place: int


class Recommender:
    """Takes activities in and says whom those that begin something may help."""

    def __init__(self, relevance: Relevance, asked: Asked, least: float = _LEAST_SCORE) -> None:
        self.relevance = relevance
        self._least = least
        self._asked = asked
        self._last: OrderedDict[str, int] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._chunk: deque[tuple[Enriched, Said | None]] = deque()
        self._since = 0
        self._clock = 0

    def take(self, one: Enriched, *, anew: bool = False) -> tuple[Trigger, ...]:
        """Take an activity in at the end of its chunk (``flush`` first where it is ``full``); return what it begins.

        What comes again changes nothing, not even where chunks end; ``anew`` is for what comes again with other people.
        """
        if not anew and not self._first(one.activity.id):
            return ()
        time = micros(one.activity.published)
        self._since = self._since if self._chunk else time
        self._clock = max(self._clock, time)
        begun = [each for each in engagements(one) if self._begins(one, each.object)]
        said = Said.of(one) if begun else None
        self._chunk.append((one, said))
        triggers = tuple(Trigger.of(one, each, said=said) for each in begun)
        for trigger in triggers:
            self.relevance.look_around(trigger)
        return triggers

    def _first(self, activity_id: str) -> bool:
        """Return whether an activity comes for the first time, among the last many."""
        if activity_id in self._known:
            return False
        self._known[activity_id] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return True

    def full(self, one: Enriched) -> bool:
        """Return whether an activity belongs to the next chunk."""
        if one.activity.id in self._known:
            return False
        late = abs(micros(one.activity.published) - self._since) > _SPAN
        return bool(self._chunk) and (len(self._chunk) >= _CHUNK or late)

    def flush(self) -> None:
        """Take the chunk into what is scored by; after an error, call again for those behind the one to blame."""
        while self._chunk:
            one, said = self._chunk.popleft()
            self.relevance.observe(self._without_left(one), said)

    def _begins(self, one: Enriched, object_id: str) -> bool:
        time = micros(one.activity.published)
        last = self._last.pop(object_id, None)
        self._last[object_id] = max(time, last or time)
        if len(self._last) > _MOST_OBJECTS:
            self._last.popitem(last=False)
        if one.automated or time < self._clock - _LATE:
            return False
        return last is None or time - last > _QUIET

    def _without_left(self, one: Enriched) -> Enriched:
        """Return an activity without the people who want no part in it."""
        left = self._asked.left
        if not any(map(left, (*people_of(one), *one.mention_people))):
            return one
        return replace(
            one,
            person="" if left(one.person) else one.person,
            coauthor_people=tuple(person for person in one.coauthor_people if not left(person)),
            mention_people=tuple(person for person in one.mention_people if not left(person)),
        )

    def recommend(self, begun: Sequence[Begun]) -> list[list[Recommendation]]:
        """Return for each of these whom it may help, the likeliest first."""
        asked = [(n, trigger, self._candidates(trigger)) for n, each in enumerate(begun) for trigger in each.triggers]
        asked = [one for one in asked if one[2]]
        scores = self.relevance.score_batch([trigger for _, trigger, _ in asked], [people for *_, people in asked])
        best: list[dict[str, Likely]] = [{} for _ in begun]
        for (n, trigger, people), given in zip(asked, scores, strict=True):
            for i, score in _likeliest(given.score, self._least):
                if people[i] not in best[n] or score > best[n][people[i]].score:
                    best[n][people[i]] = Likely(score, trigger, given, i)
        return [self._told(each.one, found) for each, found in zip(begun, best, strict=True)]

    def _candidates(self, trigger: Trigger) -> list[str]:
        people = self.relevance.select(trigger, _MOST_CANDIDATES)
        unexpected = self.relevance.strangers(people, trigger.container, _LEAST_ACTIONS).tolist()
        left = self._asked.left
        return [person for person, wanted in zip(people, unexpected, strict=True) if wanted and not left(person)]

    def _told(self, one: Enriched, found: Mapping[str, Likely]) -> list[Recommendation]:
        told: list[Recommendation] = []
        for person, likely in sorted(found.items(), key=lambda pair: (-pair[1].score, pair[0])):
            if len(told) == _MOST_PEOPLE:
                break
            if self._asked.may_open(person, one.activity.audience.container, one.activity.object.id):
                told.append(self._explained(one, likely.trigger, likely.scores.of(likely.place)))
        return told

    def _explained(self, one: Enriched, trigger: Trigger, scored: Scored) -> Recommendation:
        explanation = self.relevance.explain(trigger, scored.person, scored.contributions)
        evidence = tuple(
            each
            for each in explanation.evidence
            if self._asked.may_open(scored.person, each.access, each.activity_object)
        )
        if any(map(self._asked.left, explanation.people)):
            evidence = ()
        shown = replace(explanation, evidence=evidence, people=explanation.people if evidence else ())
        logit = math.log(scored.score / (1 - scored.score))
        least = _LEAST_TERM
        terms = {name: value for name, value in scored.contributions.items() if not -least < value < least}
        terms["bias"] = logit - sum(terms.values())
        return Recommendation(
            person=scored.person,
            object=one.activity.object.id,
            activity=one.activity.id,
            score=logit,
            terms=terms,
            reason=reason(shown),
            plain=reason(replace(explanation, evidence=(), people=(), words=())),
            evidence=tuple(Evidence(each.activity_object, each.access) for each in evidence),
            people=shown.people,
            container=one.activity.audience.container,
            thread=trigger.object,
            author=one.person,
            unit=self._asked.unit(one.person),
            language=one.language,
            burst=one.burst,
            surprise=scored.unexpectedness,
            model=MODEL,
            published=one.activity.published,
        )


def _likeliest(scores: NDArray[np.float64], least: float) -> list[tuple[int, float]]:
    """Return the places and scores of those who may be told, the likeliest first; a few more than will be."""
    places = np.argsort(-scores, kind="stable")[: 3 * _MOST_PEOPLE]
    return [pair for pair in zip(places.tolist(), scores[places].tolist(), strict=True) if pair[1] >= least]
