"""The For-you list of a person: recommendations that still may be opened, ranked by the dial, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.common.diversity import diversified
from services.common.recommendation import DAY, Recommendation
from services.common.search import Document
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.items import activity_of
from services.gateway.newcomers import followed
from services.gateway.reactions import Reactions
from services.gateway.recommendations import Recommendations

_FEW = 5
"""A list of fewer than these is filled with what the person follows."""
_AGEING = 0.1
"""Log-odds that a thing loses for each day by which another one is newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """One item: the object's newest activity and why it is shown. ``evidence`` is what the reason rests on."""

    recommendation: Recommendation
    activity: dict[str, Any]
    score: float
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForYou:
    """Lists for people."""

    desk: Desk
    held: Recommendations
    reactions: Reactions

    async def suggested(self, asker: Asker, *, dial: float, size: int) -> Sequence[Suggested]:
        """Return the best items. What cannot be opened (any more), is deleted or was muted is left out."""
        if self.reactions.subjects(asker.person, "opt-out"):
            return ()  # scoring takes back what it recommended, and what is followed is not recommended instead
        ranked = self._ranked(asker, dial)
        found = await self._shown(asker, ranked, dial, size)
        if len(found) < min(_FEW, size):
            # Not all that is held: that a thing is held and withheld must not show by its absence here.
            known = {one.recommendation.object for one in found}
            more = await followed(self.desk, asker, self.reactions, known=known)
            found += [_suggested(one, document, dial, ()) for one, document in more[: size - len(found)]]
        return found

    def _ranked(self, asker: Asker, dial: float) -> list[Recommendation]:
        mine = [
            r
            for r in self.held.of(asker.person)
            if self.desk.may_open(asker, r.container, r.object) and not self.reactions.hides(r)
        ]
        newest = max((r.time for r in mine), default=0)
        scored = [(r.dialled(dial) - _AGEING * (newest - r.time) / DAY, r) for r in mine]
        scored.sort(key=lambda pair: (-pair[0], pair[1].object))
        return diversified(scored, len(scored))

    async def _shown(self, asker: Asker, ranked: Sequence[Recommendation], dial: float, size: int) -> list[Suggested]:
        found: list[Suggested] = []
        for start in range(0, len(ranked), size):
            batch = ranked[start : start + size]
            ids = {id_ for r in batch for id_ in (r.object, *(one.object for one in r.evidence))}
            documents = await self.desk.get(asker, "objects", sorted(ids))
            for r in batch:
                document = documents.get(r.object)
                if document is not None and not document.get("deleted"):
                    one = _suggested(r, document, dial, self._open(asker, r, documents))
                    found += [one] if one.reason else []
            if len(found) >= size:
                break
        return found[:size]

    def _open(self, asker: Asker, r: Recommendation, documents: Mapping[str, Document]) -> tuple[str, ...]:
        """Return the evidence that the asker may open now."""
        return tuple(
            one.object
            for one in r.evidence
            if one.object in documents
            and not documents[one.object].get("deleted")
            and self.desk.may_open(asker, one.container, one.object)
        )


def _suggested(r: Recommendation, document: Document, dial: float, evidence: tuple[str, ...]) -> Suggested:
    # The reason may name any of its evidence, so it is told only where all of that may be opened.
    whole = len(evidence) == len(r.evidence)
    return Suggested(
        recommendation=r,
        activity=activity_of(document),
        score=r.dialled(dial),
        reason=r.reason if whole else r.plain,
        evidence=evidence if whole else (),
    )
