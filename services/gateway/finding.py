"""Finding things by words and by meaning, and people by the things they did. Used by the API and the page alike."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from services.common.embedding import embed
from services.common.search import Document, Page, Query
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.filters import FIELDS, Filters

Mode = Literal["lexical", "semantic", "hybrid"]
FACETS = ("type", "source", "context", "people", "tags")
"""Fields that an answer to a search is counted by."""
FILTER_OF = {field: name for name, field in FIELDS.items()}
_EVIDENCE = 3
_RANKED = 100
_K = 10
"""How slowly evidence loses weight down the ranking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person found. ``share`` compares people of one answer: the best has 1."""

    person: str
    share: float
    count: int
    evidence: Sequence[Document]


async def vector_of(text: str) -> Sequence[float]:
    """Return the vector of what a person typed; computed beside the event loop."""
    vectors = await asyncio.to_thread(embed, [text])
    return [float(value) for value in vectors[0]]


async def things(
    desk: Desk, asker: Asker, wanted: Filters, *, mode: Mode = "hybrid", size: int = 20, cursor: str = ""
) -> Page:
    """Return a page of objects, best first; without words the newest first."""
    query = Query(
        kind="objects",
        principals=(),
        text=wanted.text if mode != "semantic" else "",
        filters=wanted.fields(without=("actor",)),
        without={"deleted": ("true",)},
        since=wanted.since,
        until=wanted.until,
        order="relevance" if wanted.text else "newest",
        size=size,
        cursor=cursor,
        facets=FACETS,
        highlight=mode != "semantic",
    )
    if wanted.text and mode != "lexical" and not cursor:
        vector = await vector_of(wanted.text)
        query = replace(query, vector=vector if any(vector) else None)
    return await desk.find(asker, query)


async def people(desk: Desk, asker: Asker, wanted: Filters, *, size: int = 20) -> list[Found]:
    """Return people by what they did about it that the asker may open, most telling first.

    Evidence holds the words that were asked for; only where nothing does, what is near in meaning.
    """
    page = await things(desk, asker, wanted, mode="lexical", size=_RANKED)
    if not page.hits:
        page = await things(desk, asker, wanted, size=_RANKED)
    weights: defaultdict[str, float] = defaultdict(float)
    evidence: defaultdict[str, list[Document]] = defaultdict(list)
    for rank, hit in enumerate(page.hits):
        if hit.document.get("automated"):
            continue
        for person in hit.document.get("people", ()):
            weights[person] += 1 / (_K + rank)
            evidence[person].append(hit.document)
    best = max(weights.values(), default=1.0)
    order = sorted(weights, key=lambda one: (-weights[one], one))[:size]
    return [
        Found(person=p, share=weights[p] / best, count=len(evidence[p]), evidence=evidence[p][:_EVIDENCE])
        for p in order
    ]


def facets_of(page: Page) -> dict[str, dict[str, int]]:
    """Return the counts of a page under the names of the filters that they can be narrowed by."""
    return {FILTER_OF[field]: dict(values) for field, values in page.facets.items()}


async def history(desk: Desk, asker: Asker, object_id: str, *, size: int = 50) -> Page:
    """Return what happened to an object, newest first."""
    return await desk.find(asker, Query(kind="activities", principals=(), filters={"object": (object_id,)}, size=size))


async def thread(desk: Desk, asker: Asker, document: Document, *, size: int = 50) -> Page:
    """Return the rest of the conversation that an object is part of, oldest first."""
    name = str(document.get("thread", ""))
    if not name:
        return Page(hits=(), total=0)
    query = Query(kind="objects", principals=(), filters={"thread": (name,)}, order="oldest", size=size)
    page = await desk.find(asker, query)
    others = [hit for hit in page.hits if hit.id != document["id"]]
    return replace(page, hits=others, total=page.total - (len(page.hits) - len(others)))
