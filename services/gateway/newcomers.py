"""What to show somebody of whom little is known: what the people, places and tags that they follow are up to."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from services.common.recommendation import Recommendation
from services.common.search import Document, Query
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.items import activity_of
from services.gateway.reactions import Reactions

_EACH = 20
_MOST = 30
_FOLLOWS = 50
"""Newest follows that are looked for."""
MODEL = "follows-1"
_FIELDS: Mapping[str, tuple[str, float]] = {"people": ("person", 0.7), "tags": ("tag", 0.6), "context": ("place", 0.3)}
"""Field of the index to what is followed, and how surprising it is: people lead out of one's places, places do not."""


async def followed(
    desk: Desk, asker: Asker, reactions: Reactions, *, known: Collection[str]
) -> list[tuple[Recommendation, Document]]:
    """Return what may be shown for what the asker follows, newest first, with the documents; nothing of one's own."""
    follows = reactions.follows(asker.person)[-_FOLLOWS:]
    if not follows:
        return []
    pages = await asyncio.gather(*(desk.find(asker, _newest(field, follows)) for field in _FIELDS))
    found: dict[str, tuple[Recommendation, Document]] = {}
    for field, page in zip(_FIELDS, pages, strict=True):
        for hit in page.hits:
            one = _recommendation(asker.person, hit.id, hit.document, field, follows)
            if one is not None and hit.id not in known and not reactions.hides(one):
                found.setdefault(hit.id, (one, hit.document))
    return sorted(found.values(), key=lambda pair: (-pair[0].time, pair[0].object))[:_MOST]


def _newest(field: str, follows: tuple[str, ...]) -> Query:
    return Query(kind="objects", principals=(), filters={field: follows}, without={"automated": ("true",)}, size=_EACH)


def _recommendation(
    person: str, object_id: str, document: Document, field: str, follows: tuple[str, ...]
) -> Recommendation | None:
    activity = activity_of(document)
    author = str(activity.get("person") or "")
    if document.get("deleted") or author == person or person in document.get("people", ()):
        return None
    kind, surprise = _FIELDS[field]
    reason = _reason(kind, activity, next((one for one in follows if one in document.get(field, ())), ""))
    return (
        Recommendation(
            person=person,
            object=object_id,
            activity=activity["id"],
            score=1.0,
            terms={f"followed {kind}": 1.0},
            reason=reason,
            plain=f"You follow the {kind}.",
            container=str(document.get("container", "")),
            author=author,
            surprise=surprise,
            model=MODEL,
            published=datetime.fromisoformat(activity["published"]),
        )
        if reason
        else None
    )


def _reason(kind: str, activity: Mapping[str, Any], what: str) -> str:
    if kind == "person":
        name = activity["actor"].get("name") if activity.get("person") == what else ""
        return f"{name}, whom you follow, has a part in it." if name else "Somebody whom you follow has a part in it."
    if kind == "tag":
        return f"It is about {what}, which you follow." if what else ""
    name = next((c.get("name") for c in activity.get("context", ()) if c["id"] == what), "")
    return f"New in {name or 'a place'}, which you follow."
