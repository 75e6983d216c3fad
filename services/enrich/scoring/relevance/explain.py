"""Why an object was recommended to a person: the largest true contribution, its evidence, and a sentence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.enrich.scoring.relevance.likeness import Likenesses
from services.enrich.scoring.relevance.objects import Past
from services.enrich.scoring.relevance.people import NOBODY
from services.enrich.scoring.relevance.state import State
from services.enrich.scoring.relevance.trigger import Trigger

SIMILAR, ASKED, WORDS, AUTHOR, NEIGHBOURS, PLACES = "similar", "asked", "words", "author", "neighbours", "places"
TOGETHER, ANSWERED, RISING = "together", "answered", "rising"
FOLLOWED_PERSON, FOLLOWED_PLACE, FOLLOWED_TAG = "followed-person", "followed-container", "followed-tag"
NOTHING = "active"
_KINDS = {
    "similar_work": SIMILAR,
    "similar_work_lately": SIMILAR,
    "similar_work_now": SIMILAR,
    "asked_about_similar": ASKED,
    "own_words": WORDS,
    "own_words_apart": WORDS,
    "own_words_now": WORDS,
    "own_terms": WORDS,
    "own_objects": SIMILAR,
    "author_tie": AUTHOR,
    "author_shared": AUTHOR,
    "joins_author_share": AUTHOR,
    "joins_author_more": AUTHOR,
    "author_joins": AUTHOR,
    "author_mentions": AUTHOR,
    "mentions_author": AUTHOR,
    "mentioned_tie": NEIGHBOURS,
    "crowd_tie": NEIGHBOURS,
    "participants_tie": NEIGHBOURS,
    "places_alike": PLACES,
    "places_shared": PLACES,
    "was_there": PLACES,
    "was_there_lately": PLACES,
    "was_there_once": PLACES,
    "changed_together": TOGETHER,
    "answered_similar": ANSWERED,
    "rising_near": RISING,
    "followed_person": FOLLOWED_PERSON,
    "followed_place": FOLLOWED_PLACE,
    "followed_tag": FOLLOWED_TAG,
}
"""Which inputs say something that a person understands; the others only tell how much audience something will have."""
_INPUTS = {kind: [name for name, of in _KINDS.items() if of == kind] for kind in dict.fromkeys(_KINDS.values())}
_VAGUE = frozenset({NEIGHBOURS, PLACES})
"""What is said only where nothing more telling is true."""
_PLAIN = {
    SIMILAR: "It is about the same as something that you worked on.",
    ASKED: "You were called in on something like it.",
    WORDS: "It is about what you write about.",
    AUTHOR: "It comes from somebody whose work you know.",
    NEIGHBOURS: "People whom you work with are at home there.",
    PLACES: "It is in a place close to where you work.",
    TOGETHER: "It often changes together with what you worked on.",
    ANSWERED: "It asks something, and you took part in questions like it.",
    RISING: "It is about what comes up more of late where you are active.",
    FOLLOWED_PERSON: "It comes from somebody whom you follow.",
    FOLLOWED_PLACE: "It is in a place that you follow.",
    FOLLOWED_TAG: "It is about something that you follow.",
    NOTHING: "It is new where much is going on.",
}
"""What is true and gives nothing away."""
_TOOK_PART = {
    SIMILAR: "You worked on",
    ASKED: "You were called in on",
    ANSWERED: "You took part in the question",
}
_MOST_EVIDENCE = 3
_MOST_WORDS = 3
_LEAST_SHARED = 2
"""Terms that an object has to share with the one that its reason names."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A past object that a reason rests on. ``access``: the container whose access record decides who may open it."""

    object: str
    activity_object: str
    title: str
    container: str
    access: str
    place: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """``kind`` of the reason, the objects that it rests on, people whom it names, and words in common."""

    kind: str
    evidence: tuple[Evidence, ...] = ()
    people: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def explain(
    state: State, trigger: Trigger, person: str, contributions: Mapping[str, float], like: Likenesses
) -> Explanation:
    """Return the explanation by the kind that contributed most, among those that can be shown to be true."""
    slot = state.people.find(person)
    sums = {kind: sum(map(contributions.__getitem__, names)) for kind, names in _INPUTS.items()}
    for kind in sorted(sums, key=lambda kind: (kind in _VAGUE, -sums[kind], kind)):
        if sums[kind] > 0:
            found = _shown(kind, state, trigger, slot, like)
            if found is not None:
                return found
    return Explanation(NOTHING)


def _shown(kind: str, state: State, trigger: Trigger, slot: int, like: Likenesses) -> Explanation | None:
    """Return the explanation of a kind, or None where there is nothing to show for it."""
    if kind == SIMILAR:
        evidence = _evidence(state, like, [past for past in like.similar.objects if slot in past.people])
        return Explanation(kind, evidence) if evidence else None
    if kind == ASKED:
        evidence = _evidence(state, like, [past for past in like.similar.objects if slot in past.mentioned])
        return Explanation(kind, evidence) if evidence else None
    if kind == ANSWERED:
        evidence = _evidence(state, like, [past for past in like.similar.objects if _answered(past, slot)])
        return Explanation(kind, evidence) if evidence and trigger.question else None
    if kind == TOGETHER:
        changed = [past for past in like.reach.changed if slot in past.people and past.title]
        return Explanation(kind, tuple(_as_evidence(past) for past in changed[:_MOST_EVIDENCE])) if changed else None
    if kind == RISING:
        near = any(state.regulars.get(place, slot) for place, _ in like.reach.risen.places)
        words = like.reach.risen.terms[:_MOST_WORDS]
        return Explanation(kind, words=words) if near and len(words) >= _LEAST_SHARED else None
    if kind == WORDS:
        words = _most(state.words.shared(like.said.weights, int(state.people.texts[slot])))
        return Explanation(kind, words=words) if len(words) >= _LEAST_SHARED else None
    if kind == AUTHOR:
        known = slot != NOBODY and trigger.people and _acquainted(state, slot, trigger.people[0])
        return Explanation(kind, people=trigger.people[:1]) if known else None
    if kind == FOLLOWED_PERSON:
        return Explanation(kind, people=trigger.people)
    if kind == PLACES:
        return Explanation(kind) if slot != NOBODY and state.people.containers[slot] else None
    return Explanation(kind)


def _answered(past: Past, slot: int) -> bool:
    return past.question and slot in past.people and slot != past.starter


def _acquainted(state: State, slot: int, author: str) -> bool:
    other = state.people.find(author)
    return bool(state.ties.get(other, slot) or state.mentions.get(other, slot) or state.mentions.get(slot, other))


def _evidence(state: State, like: Likenesses, among: Sequence[Past]) -> tuple[Evidence, ...]:
    found = []
    for past in among:
        words = _most(state.objects.index.shared(like.asked.factors, past.text))
        if past.title and len(words) >= _LEAST_SHARED:
            found.append(_as_evidence(past, words))
        if len(found) == _MOST_EVIDENCE:
            break
    return tuple(found)


def _as_evidence(past: Past, words: tuple[str, ...] = ()) -> Evidence:
    return Evidence(past.key, past.activity_object, past.title, past.container, past.access, past.place, words)


def _most(shared: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(shared, key=lambda term: (-shared[term], term))[:_MOST_WORDS])


def reason(explanation: Explanation) -> str:
    """Return the reason in words; what evidence, people and words were taken away is not named, and it stays true."""
    if explanation.words:
        named = ", ".join(explanation.words)
        if explanation.kind == RISING:
            return f"It is about what comes up more of late where you are active: {named}."
        return f"It is about what you write about: {named}."
    if not explanation.evidence:
        return _PLAIN[explanation.kind]
    best = explanation.evidence[0]
    where = f" in {best.place}" if best.place else ""
    if explanation.kind == TOGETHER:
        return f"It often changes together with “{best.title}”{where}, on which you worked."
    return f"{_TOOK_PART[explanation.kind]} “{best.title}”{where}; both are about {', '.join(best.words)}."
