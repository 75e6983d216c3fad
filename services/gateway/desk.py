"""The one door to the index: every read names its asker, and what comes out is looked at once more.

The index decides by its own grants; the view of ``access.v1`` in memory is at least as new, so a revocation or a
withdrawal holds here before the index has heard of it. What only the index can count waits for it (``fence``).
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from services.common.access import AccessState
from services.common.search import Document, Hit, Kind, Page, Query, Search
from services.gateway.auth import Asker
from services.gateway.fence import Fence
from services.gateway.haunts import Haunts
from services.gateway.turns import Turns

_SECONDS = 8.0
_CONTENT = ("title", "text", "url", "tags", "phrases", "files", "mentions")
_SAID = ("target", "origin", "tags", "mentions", "links", "files", "ext", "text", "language", "phrases")
_OBJECT_SAID = ("title", "content", "url", "mediaType", "language", "truncated")


class Desk:
    """Search as somebody."""

    def __init__(self, search: Search, access: AccessState, fence: Fence, turns: Turns) -> None:
        self._search = search
        self._access = access
        self._fence = fence
        self._turns = turns
        self.haunts = Haunts()

    async def find(self, asker: Asker, query: Query) -> Page:
        """Return one page of what matches and the asker may open. ``query.principals`` is set here.

        Raises Behind while the index still counts what has been closed to the asker, and Busy where too much is asked.
        """
        (page,) = await self.find_all(asker, [query])
        return page

    async def find_all(self, asker: Asker, queries: Sequence[Query]) -> Sequence[Page]:
        """Return a page of each query, as ``find``; all are asked at once."""
        await self._fence.passed(asker.principals)
        async with self._turns.question(asker.person), asyncio.timeout(_SECONDS):
            found = await self._search.find_all([self._asked(asker, query) for query in queries])
        return [self._page(asker, query.kind, page) for query, page in zip(queries, found, strict=True)]

    async def finds_all(self, asker: Asker, activities: Collection[str]) -> bool:
        """Return whether the index finds all activities of these ids for the asker by now; raises as ``find``."""
        asked = Query(kind="activities", principals=(), filters={"id": tuple(activities)}, size=1)
        return (await self.find(asker, asked)).total >= len(activities)

    def _asked(self, asker: Asker, query: Query) -> Query:
        """Return the query as the asker's. Whom the view here knows to have been granted nothing is not looked up.

        However old the view is, that can only show less; what closes something is looked up in the index always.
        """
        principals, holders = self._access.holders(asker.principals)
        return replace(query, principals=principals, holders=holders)

    def _page(self, asker: Asker, kind: Kind, page: Page) -> Page:
        hits = [shown for hit in page.hits if (shown := self._hit(asker, kind, hit)) is not None]
        return replace(page, hits=hits, total=page.total - (len(page.hits) - len(hits)))

    async def get(self, asker: Asker, kind: Kind, ids: Sequence[str]) -> Mapping[str, Document]:
        """Return the documents of those ids that are there and that the asker may open; raises Busy."""
        async with self._turns.question(asker.person), asyncio.timeout(_SECONDS):
            found = await self._search.get(kind, ids, principals=asker.principals)
        return {one: shown for one, d in found.items() if (shown := self._shown(asker, kind, one, d)) is not None}

    async def answers(self) -> None:
        """Return when the index answers; raises what the search port raises."""
        async with asyncio.timeout(_SECONDS):
            await self._search.count("activities")

    def may_open(self, asker: Asker, container: str, object_id: str) -> bool:
        """Return whether the asker may open an object of a container, as far as is known here."""
        return self._access.may_open(asker.principals, container, object_id)

    def _hit(self, asker: Asker, kind: Kind, hit: Hit) -> Hit | None:
        document = self._shown(asker, kind, hit.id, hit.document)
        if document is None:
            return None
        return hit if document is hit.document else replace(hit, document=document, highlights={})

    def _shown(self, asker: Asker, kind: Kind, id_: str, document: Document) -> Document | None:
        thing = str(document.get("object", "")) if kind == "activities" else id_
        if not self.may_open(asker, str(document.get("container", "")), thing):
            return None
        if self._access.withdrawn(thing, str(document.get("version", "")), int(document.get("order", 0))):
            return without_content(document)
        return document


def without_content(document: Document) -> Document:
    """Return a document, and the activity in it, without anything that was said."""
    left = {name: value for name, value in document.items() if name not in _CONTENT}
    if "as2" in left:
        left["as2"] = orjson.dumps(_activity_without_content(orjson.loads(left["as2"]))).decode()
    return left


def _activity_without_content(activity: Mapping[str, Any]) -> dict[str, Any]:
    left = {name: value for name, value in activity.items() if name not in _SAID}
    left["object"] = {name: value for name, value in activity["object"].items() if name not in _OBJECT_SAID}
    left["context"] = [
        {"id": c["id"], "type": c["type"]} if c.get("type") in ("Thread", "Page") else c
        for c in activity.get("context", ())
    ]
    return left
