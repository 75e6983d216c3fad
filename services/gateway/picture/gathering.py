"""What was done about a topic, asked of the index through the one door to it; and which topics there are."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.common.search import Hit, Query
from services.common.search.conditions import Condition, Either, Has, Says
from services.common.search.limits import FACET_VALUES, VALUES
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.items import activity_of
from services.gateway.picture import counting
from services.gateway.picture.counting import Act
from services.gateway.picture.spans import Span, spans

SAMPLE = 100
"""Activities of each span of time that are looked at, the newest ones; how many there are is counted of all."""
_UNITS_ACTS = 500
_SAID = ("title", "text", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """How many activities a span of time had (exact up to ``limits.COUNTED``), and the newest of them."""

    span: Span
    activities: int
    acts: Sequence[Act]


def about(topic: str) -> Condition:
    """Return what is about a topic: what is tagged with it, or has its words."""
    return Either((Has("tags", tuple(dict.fromkeys((topic, topic.lower())))), Says(topic)))


async def gather(desk: Desk, asker: Asker, topic: str) -> list[Grown]:
    """Return a topic's life as the asker may see it, oldest first; empty where there is none."""
    query = Query(kind="activities", principals=(), where=about(topic), size=1)
    newest, oldest = await asyncio.gather(desk.find(asker, query), desk.find(asker, replace(query, order="oldest")))
    times = [datetime.fromisoformat(hit.document["published"]) for hit in (*oldest.hits, *newest.hits)]
    if not times:
        return []
    found = spans(min(times), max(times))
    asked = [replace(query, since=one.start, until=one.end, size=SAMPLE) for one in found]
    pages = await asyncio.gather(*(desk.find(asker, one) for one in asked))
    return [
        Grown(span=span, activities=page.total, acts=[act_of(hit) for hit in page.hits if _says_something(hit)])
        for span, page in zip(found, pages, strict=True)
    ]


def _says_something(hit: Hit) -> bool:
    """Return whether anything is left of it: what its source has just taken back is about nothing any more."""
    return any(hit.document.get(name) for name in _SAID)


def act_of(hit: Hit) -> Act:
    """Return an activity of the index as it counts here. Programs are nobody."""
    document, activity = hit.document, activity_of(hit.document)
    place = _place(activity)
    ids = [link.get("object") for link in activity.get("links", ())]
    return Act(
        object=str(document["object"]),
        place=place.get("id") or str(document.get("container", "")),
        place_name=place.get("name", ""),
        place_type=place.get("type", ""),
        people=() if document.get("automated") else tuple(document.get("people", ())),
        reaches=frozenset(filter(None, (document["object"], document.get("thread"), *ids))),
        tags=tuple(document.get("tags", ())),
        published=datetime.fromisoformat(document["published"]),
    )


def _place(activity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the innermost container that is no thread; nothing where it has none."""
    places = [one for one in activity.get("context", ()) if one.get("type") != "Thread"]
    return places[-1] if places else {}


async def topics(desk: Desk, asker: Asker, *, container: str = "") -> list[tuple[str, int]]:
    """Return the tags that most activities have, everywhere or in one place, and of how many."""
    filters = {"context": (container,)} if container else {}
    page = await desk.find(asker, Query(kind="activities", principals=(), filters=filters, size=1, facets=("tags",)))
    return sorted(page.facets["tags"].items(), key=lambda one: (-one[1], one[0]))


async def topics_of_unit(desk: Desk, asker: Asker, people: Collection[str]) -> list[tuple[str, int]]:
    """Return the tags of what a unit's people did last, and of how many activities.

    What only a few of them did is no topic of the unit.
    """
    if len(people) < counting.LEAST:
        return []
    filters = {"people": tuple(sorted(people)[:VALUES])}
    page = await desk.find(asker, Query(kind="activities", principals=(), filters=filters, size=_UNITS_ACTS))
    who: defaultdict[str, set[str]] = defaultdict(set)
    acts: Counter[str] = Counter()
    for act in map(act_of, page.hits):
        acts.update(act.tags)
        for tag in act.tags:
            who[tag].update(set(act.people) & set(people))
    found = [(tag, count) for tag, count in acts.items() if len(who[tag]) >= counting.LEAST]
    return sorted(found, key=lambda one: (-one[1], one[0]))[:FACET_VALUES]
