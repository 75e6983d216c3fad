"""Pages out of hits, the same by both adapters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    end = Place.end(newest=query.order == "newest")
    return Page(
        hits=[hit for _, hit in shown],
        total=total,
        facets=facets,
        next=Place(last.at, last.id).packed() if (place != end if back else more) else "",
        previous=Place(first.at, first.id, back=True).packed() if (more if back else place is not None) else "",
        last=end.packed(),
    )


def ranked(query: Query, ranking: Ranking, found: Mapping[str, Hit], facets: Mapping[str, Mapping[str, int]]) -> Page:
    """Return the page of a ranking; what can no longer be opened is left out of it."""
    ids = ranking.ids[ranking.start : ranking.start + query.size]
    kept = ranking.fitting()
    following, previous = kept.around(query.size)
    hits = [found[one] for one in ids if one in found]
    return Page(
        hits=hits, total=ranking.total, facets=facets, next=following, previous=previous, last=kept.last(query.size)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What of some documents an asker was granted, and which objects are restricted by themselves."""

    containers: frozenset[str]
    objects: frozenset[str]
    marked: frozenset[str]


def containers_of(documents: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the containers that decide over documents."""
    return frozenset(d["container"] for d in documents.values() if d.get("container"))


def objects_of(kind: Kind, documents: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the objects that documents are about."""
    return frozenset(filter(None, (object_of(kind, document) for document in documents.values())))


def object_of(kind: Kind, document: Mapping[str, Any]) -> str:
    """Return the id of the object that a document is about."""
    return str(document.get("object" if kind == "activities" else "id", ""))


def may_open(kind: Kind, document: Mapping[str, Any], granted: Granted) -> bool:
    """True when a document lies in a granted container and is not restricted, or is an object granted by itself.

    A mark counts whether it stood when the document was written or came later.
    """
    if document.get("container") not in granted.containers:
        return False
    object_id = object_of(kind, document)
    unmarked = document.get("restricted") is False and object_id not in granted.marked
    return unmarked or object_id in granted.objects
