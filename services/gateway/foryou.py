"""The For-you list of a person: recommendations that still may be opened, with their objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.items import activity_of
from services.gateway.recommendations import Recommendation, Recommendations

_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """One item: the object's newest activity and why it is shown."""

    recommendation: Recommendation
    activity: dict[str, Any]
    score: float
    evidence: tuple[str, ...]


async def suggested(
    desk: Desk, held: Recommendations, asker: Asker, *, surprise: float, size: int
) -> Sequence[Suggested]:
    """Return the best items. What is recommended but cannot be opened (any more), or is deleted, is left out."""
    ranked = [r for r in held.of(asker.person, surprise) if desk.may_open(asker, r.container, r.object)]
    found: list[Suggested] = []
    for start in range(0, len(ranked), _AT_ONCE):
        batch = ranked[start : start + _AT_ONCE]
        ids = {one for r in batch for one in (r.object, *r.evidence)}
        documents = await desk.get(asker, "objects", sorted(ids))
        for r in batch:
            document = documents.get(r.object)
            # The evidence is part of the reason: one that rests on what may not be opened is not told.
            if document is None or document.get("deleted") or not set(r.evidence) <= documents.keys():
                continue
            found.append(
                Suggested(
                    recommendation=r,
                    activity=activity_of(document),
                    score=r.dialled(surprise),
                    evidence=r.evidence,
                )
            )
        if len(found) >= size:
            break
    return found[:size]
