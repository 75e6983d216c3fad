"""A recommendation: one object for one person, with its score's terms and the reason in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.common.model import EPOCH, micros

DAY = 86_400 * 1_000_000
MIDDLE = 0.5
"""The dial's place where scores are as they were computed."""
_SWAY = 3.0
"""Log-odds by which the dial's ends part the most familiar from the most surprising: enough to turn most lists over,
too little to lift what is hardly relevant above what clearly is."""


class Evidence(NamedTuple):
    """A thing that a reason rests on, with the container whose access decides."""

    object: str
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One object for one person. The fields are those of ``schemas/recommendation``.

    ``terms`` are contributions in log-odds by name and add up to ``score``; ``surprise`` is 0 (familiar) to 1;
    ``plain`` is the reason without its evidence; ``why`` says why it was withdrawn.
    """

    person: str
    object: str
    activity: str = ""
    score: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    plain: str = ""
    evidence: tuple[Evidence, ...] = ()
    people: tuple[str, ...] = ()
    container: str = ""
    thread: str = ""
    author: str = ""
    unit: str = ""
    language: str = ""
    burst: str = ""
    surprise: float = MIDDLE
    withdrawn: bool = False
    why: str = ""
    held_out: bool = False
    model: str = ""
    published: datetime = EPOCH

    @property
    def key(self) -> str:
        """Key in ``candidate.v1`` and ``recommendation.v1``."""
        return f"{self.person}|{self.object}"

    @property
    def time(self) -> int:
        """Event time of the trigger in micros."""
        return micros(self.published)

    @property
    def day(self) -> int:
        """Day of the trigger, by event time, for the daily budget."""
        return (self.published - EPOCH).days

    @property
    def facets(self) -> Mapping[str, str]:
        """What must not be the same in everything that is shown: place, author, unit, language; empty where unknown."""
        return {"place": self.container, "author": self.author, "unit": self.unit, "language": self.language}

    def dialled(self, dial: float) -> float:
        """Return the score (log-odds) with the dial at 0 (familiar) to 1 (surprising); in the middle it is the score.

        Relevance always counts: surprise alone is worthless, so it only sways what is relevant.
        """
        return self.score + _SWAY * (2 * dial - 1) * (self.surprise - MIDDLE)


def recommendation_out(r: Recommendation, recorded: datetime) -> dict[str, Any]:
    """Return the record of schema ``recommendation``."""
    return {
        "person": r.person,
        "object": r.object,
        "activity": r.activity,
        "score": r.score,
        "terms": dict(r.terms.items()),
        "reason": r.reason,
        "plain": r.plain,
        "evidence": [one.object for one in r.evidence],
        "evidenceContainers": [one.container for one in r.evidence],
        "people": r.people,
        "container": r.container,
        "thread": r.thread,
        "author": r.author,
        "unit": r.unit,
        "language": r.language,
        "burst": r.burst,
        "surprise": r.surprise,
        "withdrawn": r.withdrawn,
        "why": r.why,
        "heldOut": r.held_out,
        "model": r.model,
        "published": r.published,
        "recorded": recorded,
    }


def recommendation_in(r: Mapping[str, Any]) -> Recommendation:
    """Return the recommendation in a record of any version of schema ``recommendation``."""
    return Recommendation(
        person=r["person"],
        object=r["object"],
        activity=r["activity"],
        score=r["score"],
        terms=r["terms"],
        reason=r["reason"],
        plain=r["plain"],
        evidence=_evidence(r["evidence"], r["evidenceContainers"]),
        people=tuple(r["people"]),
        container=r["container"],
        thread=r["thread"],
        author=r["author"],
        unit=r["unit"],
        language=r["language"],
        burst=r["burst"],
        surprise=r["surprise"],
        withdrawn=r["withdrawn"],
        why=r["why"],
        held_out=r["heldOut"],
        model=r["model"],
        published=r["published"],
    )


def _evidence(objects: Sequence[str], containers: Sequence[str]) -> tuple[Evidence, ...]:
    # Records of the first version have no containers: an unknown one is nobody's, so the reason falls back.
    known = [*containers, *([""] * (len(objects) - len(containers)))]
    return tuple(map(Evidence, objects, known))
