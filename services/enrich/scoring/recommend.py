"""Whom a new object may help: experts of similar past objects, outside their own containers, with the reason. Pure.

The rule of what is unexpected stands outside the score: fewer than max(3, 1 %) of the person's actions lie in the
object's container. Weights are set by hand; a later model replaces them, not the place where they stand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.common.model import EPOCH, Enriched, micros
from services.enrich.scoring.past import History, Past, key_of, people_of

MODEL = "experts-1"
_SIMILAR = 50
_FEWEST_ACTIONS = 3
_LEAST_SCORE = 0.3
_MOST_PEOPLE = 5
_EVIDENCE = 3
_UNEXPECTED = 0.1
_PROFILE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One object for one person. ``terms`` add up to ``score``; ``evidence`` are ids of objects."""

    person: str
    object: str
    activity: str = ""
    score: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    evidence: tuple[str, ...] = ()
    container: str = ""
    withdrawn: bool = False
    model: str = MODEL
    published: datetime = EPOCH

    @property
    def key(self) -> str:
        """Key in ``recommendation.v1``."""
        return f"{self.person}|{self.object}"

    @property
    def day(self) -> int:
        """Day of the trigger, by event time, for the daily budget."""
        return micros(self.published) // (86_400 * 1_000_000)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the recommender may ask about a person."""

    may_open: Callable[[str, str, str], bool]
    """person, container, object"""
    profile: Callable[[str], Mapping[str, float]]
    excluded: Callable[[str], bool]


@dataclass(slots=True)
class _Expert:
    weight: float = 0.0
    evidence: list[tuple[float, Past]] = field(default_factory=list)


def recommend(one: Enriched, history: History, asked: Asked) -> list[Recommendation]:
    """Return recommendations of the object that this activity begins, the best first; none for any other activity."""
    past = history.object(key_of(one))
    if past is None or past.first != one.activity.id or one.automated or past.withdrawn or not past.terms:
        return []
    experts = _experts(one, past, history)
    scored = [_scored(one, past, person, expert, history, asked) for person, expert in experts.items()]
    good = sorted((r for r in scored if r and r.score >= _LEAST_SCORE), key=lambda r: (-r.score, r.person))
    return good[:_MOST_PEOPLE]


def _experts(one: Enriched, past: Past, history: History) -> dict[str, _Expert]:
    """Return who took part in similar objects, without those who have to do with this one already."""
    there = {*people_of(one), *one.mention_people, *past.people}
    experts: dict[str, _Expert] = {}
    for key, cosine in history.similar.like(past.terms, past.time, _SIMILAR):
        other = history.object(key)
        if other is None or key == past.key:
            continue
        for person, since in other.people.items():
            if person not in there and since < past.time:
                expert = experts.setdefault(person, _Expert())
                expert.weight += cosine**2
                expert.evidence.append((cosine, other))
    return experts


def at_home(person: str, container: str, history: History) -> bool:
    """Return whether the container is one of the person's own."""
    return history.actions(person, container) >= max(3.0, 0.01 * history.actions(person))


def _scored(
    one: Enriched, past: Past, person: str, expert: _Expert, history: History, asked: Asked
) -> Recommendation | None:
    if asked.excluded(person) or history.actions(person) < _FEWEST_ACTIONS or at_home(person, past.container, history):
        return None
    if not asked.may_open(person, past.container, one.activity.object.id):
        return None
    evidence = [
        (cosine, other)
        for cosine, other in expert.evidence[:_EVIDENCE]
        if not other.withdrawn and asked.may_open(person, other.container, other.object)
    ]
    if not evidence:
        return None
    profile = _cosine(past.terms, asked.profile(person), history)
    share = history.actions(person, past.container) / history.actions(person)
    terms = {
        "experts": expert.weight**0.5,
        "profile": _PROFILE * profile,
        "unexpected": _UNEXPECTED * (1 - share),
    }
    return Recommendation(
        person=person,
        object=one.activity.object.id,
        activity=one.activity.id,
        score=sum(terms.values()),
        terms=terms,
        reason=_reason(past, [other for _, other in evidence]),
        evidence=tuple(other.object for _, other in evidence),
        container=past.container,
        published=one.activity.published,
    )


def _cosine(terms: Mapping[str, float], profile: Mapping[str, float], history: History) -> float:
    rarity = history.similar.rarity
    shared = sum(terms[t] * profile[t] * rarity(t) ** 2 for t in terms.keys() & profile.keys())
    if not shared:
        return 0.0
    norms = [sum((w * rarity(t)) ** 2 for t, w in side.items()) ** 0.5 for side in (terms, profile)]
    return float(shared / (norms[0] * norms[1]))


def _reason(past: Past, evidence: Sequence[Past]) -> str:
    """Say it in words, naming things that the person took part in and the words they share with the new one."""
    best = evidence[0]
    shared = sorted(past.terms.keys() & best.terms.keys(), key=lambda t: (-past.terms[t] * best.terms[t], t))[:3]
    named = f"“{best.title}”" if best.title else f"a conversation in {best.place}"
    where = f" in {best.place}" if best.place and best.title else ""
    words = f"; both are about {', '.join(shared)}" if shared else ""
    return f"You worked on {named}{where}{words}."
