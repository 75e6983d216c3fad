"""Whom a new object may help: experts of similar past objects, outside their own containers, with the reason. Pure.

The rule of what is unexpected stands outside the score: fewer than max(3, 1 %) of the person's actions lie in the
object's container. Weights are set by hand; a later model replaces them, not the place where they stand.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.common.model import Enriched
from services.common.recommendation import Evidence, Recommendation
from services.enrich.scoring.past import History, Past, key_of, people_of

MODEL = "experts-1"
_SIMILAR = 50
_LEAST_ACTIONS = 3
_LEAST_SHARED = 2
"""Words that a new object has to share with the one that the reason names."""
_LEAST_RELEVANCE = 0.3
_MOST_CANDIDATES = 40
_MOST_PEOPLE = 5
_MOST_EVIDENCE = 3
_MOST_WORDS = 3
_PROFILE = 0.5
_UNEXPECTED = 0.1
_PLAIN = "It is about the same as something that you worked on."


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
    evidence: list[Past] = field(default_factory=list)


def recommend(one: Enriched, history: History, asked: Asked) -> list[Recommendation]:
    """Return recommendations of the object that this activity begins, the best first; none for any other activity."""
    past = history.object(key_of(one))
    if past is None or past.first != one.activity.id or one.automated or past.withdrawn or not past.terms:
        return []
    experts = sorted(_experts(one, past, history).items(), key=lambda pair: (-pair[1].weight, pair[0]))
    scored = [_scored(one, past, *pair, history, asked) for pair in experts[:_MOST_CANDIDATES]]
    return sorted((new for new in scored if new), key=lambda new: (-new.score, new.person))[:_MOST_PEOPLE]


def _experts(one: Enriched, past: Past, history: History) -> dict[str, _Expert]:
    """Return who took part in similar objects, without those who have to do with this one or are at home there.

    An object counts for each of its people by the square of its likeness, and the less the more they do anyway:
    otherwise whoever is busiest would be the expert of everything.
    """
    out = {*people_of(one), *one.mention_people, *past.people}
    experts: dict[str, _Expert] = {}
    for key, cosine in history.similar.like(past.terms, past.time, _SIMILAR):
        other = history.object(key)
        if other is None or key == past.key or other.withdrawn:
            continue
        for person, since in other.people.items():
            if person in out or since >= past.time:
                continue
            if person not in experts:
                if history.actions(person) < _LEAST_ACTIONS or at_home(person, past.container, history):
                    out.add(person)
                    continue
                experts[person] = _Expert()
            experts[person].weight += cosine**2 / math.log10(10 + history.actions(person))
            experts[person].evidence.append(other)
    return experts


def at_home(person: str, container: str, history: History) -> bool:
    """Return whether the container is one of the person's own."""
    return history.actions(person, container) >= max(3.0, 0.01 * history.actions(person))


def _scored(
    one: Enriched, past: Past, person: str, expert: _Expert, history: History, asked: Asked
) -> Recommendation | None:
    profile = _PROFILE * _cosine(past.terms, asked.profile(person), history)
    relevance = math.sqrt(expert.weight) + profile
    if relevance < _LEAST_RELEVANCE or asked.excluded(person):
        return None
    evidence = _evidence(past, person, expert, asked)
    if not evidence or not asked.may_open(person, past.container, one.activity.object.id):
        return None
    share = history.actions(person, past.container) / history.actions(person)
    terms = {"experts": math.sqrt(expert.weight), "profile": profile, "unexpected": _UNEXPECTED * (1 - share)}
    return Recommendation(
        person=person,
        object=one.activity.object.id,
        activity=one.activity.id,
        score=sum(terms.values()),
        terms=terms,
        reason=_reason(past, evidence[0], history),
        plain=_PLAIN,
        evidence=tuple(Evidence(other.object, other.container) for other in evidence),
        container=past.container,
        thread=past.key,
        author=one.person,
        language=one.language,
        burst=one.burst,
        surprise=1 - share,
        model=MODEL,
        published=one.activity.published,
    )


def _evidence(past: Past, person: str, expert: _Expert, asked: Asked) -> list[Past]:
    """Return the objects that the reason rests on, the most similar first: only what the person may open."""
    return [
        other
        for other in expert.evidence
        if len(past.terms.keys() & other.terms.keys()) >= _LEAST_SHARED
        and asked.may_open(person, other.container, other.object)
    ][:_MOST_EVIDENCE]


def _cosine(terms: Mapping[str, float], profile: Mapping[str, float], history: History) -> float:
    rarity = history.similar.rarity
    shared = sum(terms[t] * profile[t] * rarity(t) ** 2 for t in terms.keys() & profile.keys())
    if not shared:
        return 0.0
    norms = [sum((w * rarity(t)) ** 2 for t, w in side.items()) ** 0.5 for side in (terms, profile)]
    return float(shared / (norms[0] * norms[1]))


def _reason(past: Past, best: Past, history: History) -> str:
    """Say it in words, naming a thing that the person took part in and the words it shares with the new one."""
    rarity = history.similar.rarity
    weights = {t: past.terms[t] * best.terms[t] * rarity(t) for t in past.terms.keys() & best.terms.keys()}
    shared = sorted(weights, key=lambda term: (-weights[term], -len(term), term))[:_MOST_WORDS]
    where = f" in {best.place}" if best.place else ""
    return f"You worked on “{best.title}”{where}; both are about {', '.join(shared)}."
