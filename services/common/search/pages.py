"""Pages out of hits, the same by both adapters. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.common.search import Hit, Kind, Page, Query
from services.common.search.cursors import Place, Ranking

Row = tuple[Place, Hit]
"""A hit and its place in time."""


def by_time(
    query: Query, place: Place | None, rows: Sequence[Row], *, total: int, facets: Mapping[str, Mapping[str, int]]
) -> Page:
    """Return the page. ``rows`` come in the direction of reading, one more than the page where there are more."""
    more = len(rows) > query.size
    back = place is not None and place.back
    shown = list(rows[: query.size])
    if back:
        shown.reverse()
    if not shown:
        return Page(hits=(), total=total, facets=facets)
    last, first = shown[-1][0], shown[0][0]
    return Page(
        hits=[hit for _, hit in shown],
        total=total,
        facets=facets,
        next=Place(last.at, last.id).packed() if more or back else "",
        previous=Place(first.at, first.id, back=True).packed() if (more if back else place is not None) else "",
    )


def ranked(query: Query, ranking: Ranking, found: Mapping[str, Hit], facets: Mapping[str, Mapping[str, int]]) -> Page:
    """Return the page of a ranking; what can no longer be opened is left out of it."""
    ids = ranking.ids[ranking.start : ranking.start + query.size]
    following, previous = ranking.fitting().around(query.size)
    hits = [found[one] for one in ids if one in found]
    return Page(hits=hits, total=ranking.total, facets=facets, next=following, previous=previous)


def containers_of(documents: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the containers that decide over documents."""
    return frozenset(d["container"] for d in documents.values() if d.get("container"))


def marked_objects(kind: Kind, documents: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the objects of documents that are restricted by themselves (all that are not said to be unrestricted)."""
    return frozenset(object_of(kind, d) for d in documents.values() if d.get("restricted") is not False)


def object_of(kind: Kind, document: Mapping[str, Any]) -> str:
    """Return the id of the object that a document is about."""
    return str(document.get("object" if kind == "activities" else "id", ""))


def may_open(kind: Kind, document: Mapping[str, Any], containers: frozenset[str], objects: frozenset[str]) -> bool:
    """True when a document lies in one of the containers and is unrestricted or one of the objects."""
    if document.get("container") not in containers:
        return False
    return document.get("restricted") is False or object_of(kind, document) in objects
