"""Finding things by words and by meaning, and people by the things they did. Used by the API and the page alike."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.common.clock import now
from services.common.embedding import embed
from services.common.search import Document, Hit, Page, Query
from services.common.search.conditions import Condition
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.filters import FIELDS, OF_ACTS, Filters

Mode = Literal["lexical", "semantic", "hybrid"]
FACETS = ("type", "source", "context", "people", "tags")
"""Fields that an answer to a search is counted by."""
FILTER_OF = {field: name for name, field in FIELDS.items()}
_EVIDENCE = 3
_RANKED = 100
_K = 10
"""How slowly evidence loses weight down the ranking."""
_HALF_LIFE = 180.0
"""Days after which what somebody did tells half as much of what they know, down to ``_OLD``."""
_OLD = 0.2
"""What is left of the weight of the oldest things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person found. ``share`` compares people of one answer: the best has 1."""

    person: str
    share: float
    count: int
    evidence: Sequence[Document]


async def vector_of(text: str) -> Sequence[float]:
    """Return the vector of what a person typed; computed beside the event loop."""
    vectors = await asyncio.to_thread(embed, [text], sparing=True)
    return [float(value) for value in vectors[0]]


async def things(
    desk: Desk,
    asker: Asker,
    wanted: Filters,
    *,
    mode: Mode = "hybrid",
    size: int = 20,
    cursor: str = "",
    where: Condition | None = None,
    conversations: bool = False,
    counted: bool = True,
) -> Page:
    """Return a page of objects, best first; without words the newest first.

    ``conversations`` gives the best hit of each; what lies where the asker is active counts a little more. Without
    ``counted`` neither facets nor highlights are made, nor is counted what of a conversation was found: of a hundred
    hits that takes longer than to find them.
    """
    query = Query(
        kind="objects",
        principals=(),
        text=wanted.text if mode != "semantic" else "",
        filters=wanted.fields(without=OF_ACTS),
        without={"deleted": ("true",)},
        where=where,
        conversations=conversations,
        since=wanted.since,
        until=wanted.until,
        order="relevance" if wanted.text else "newest",
        size=size,
        cursor=cursor,
        facets=FACETS if counted else (),
        threads=counted,
        highlight=counted and mode != "semantic",
    )
    if wanted.text and mode != "lexical" and not cursor:
        vector, places = await asyncio.gather(vector_of(wanted.text), places_of(desk, asker))
        query = replace(query, vector=vector if any(vector) else None, places=places)
    return await desk.find(asker, query)


async def places_of(desk: Desk, asker: Asker) -> tuple[str, ...]:
    """Return where the asker is active most, as of some minutes ago; empty for nobody in particular.

    It only orders what the asker may open, so that one of the places may have been closed since makes no difference.
    """
    if not asker.person:
        return ()
    own = Query(kind="activities", principals=(), filters={"person": (asker.person,)}, size=1, facets=("context",))

    async def ask() -> tuple[str, ...]:
        return tuple((await desk.find(asker, own)).facets["context"])

    return await desk.haunts.of((asker.person, *asker.principals), ask)


def told(document: Document, rank: int, at: datetime) -> dict[str, float]:
    """Return how much a thing tells of each of its people: what fits better, is newer, and is of few tells more."""
    people = list(document.get("people", ()))
    age = max(0.0, (at - datetime.fromisoformat(document["published"])) / timedelta(days=1))
    newness = _OLD + (1 - _OLD) * 0.5 ** (age / _HALF_LIFE)
    return {one: newness / (_K + rank) / len(people) ** 0.5 for one in people}


async def people(
    desk: Desk, asker: Asker, wanted: Filters, *, size: int = 20, where: Condition | None = None
) -> list[Found]:
    """Return people by what they did about it that the asker may open, most telling first.

    Evidence holds the words that were asked for; only where nothing does, what is near in meaning.
    """
    page = await things(desk, asker, wanted, mode="lexical", size=_RANKED, where=where, counted=False)
    if not page.hits and wanted.text:
        page = await things(desk, asker, wanted, size=_RANKED, where=where, counted=False)
    weights: defaultdict[str, float] = defaultdict(float)
    evidence: defaultdict[str, list[Document]] = defaultdict(list)
    at = now()
    for rank, hit in enumerate(page.hits):
        if hit.document.get("automated"):
            continue
        for person, weight in told(hit.document, rank, at).items():
            weights[person] += weight
            evidence[person].append(hit.document)
    best = max(weights.values(), default=1.0)
    order = sorted(weights, key=lambda one: (-weights[one], one))[:size]
    return [
        Found(person=p, share=weights[p] / best, count=len(evidence[p]), evidence=evidence[p][:_EVIDENCE])
        for p in order
    ]


def thread_of(hit: Hit) -> str:
    """Return the conversation that a hit is part of: its own id where it is none."""
    return str(hit.document.get("thread") or hit.id)


def facets_of(page: Page) -> dict[str, dict[str, int]]:
    """Return the counts of a page under the names of the filters that they can be narrowed by."""
    return {FILTER_OF[field]: dict(values) for field, values in page.facets.items()}


async def around(desk: Desk, asker: Asker, document: Document, *, size: int = 50) -> tuple[Page, Page]:
    """Return what happened to an object, newest first, and the rest of its conversation, oldest first."""
    name = str(document.get("thread", ""))
    history = Query(kind="activities", principals=(), filters={"object": (document["id"],)}, size=size)
    thread = Query(kind="objects", principals=(), filters={"thread": (name,)}, order="oldest", size=size)
    if not name:
        return await desk.find(asker, history), Page(hits=(), total=0)
    before, said = await desk.find_all(asker, [history, thread])
    others = [hit for hit in said.hits if hit.id != document["id"]]
    return before, replace(said, hits=others, total=said.total - (len(said.hits) - len(others)))
