"""Pages of collections in ActivityStreams 2.0, with ``Link`` headers that say the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.common.search import Page
from services.gateway import filters as asked

SIZE = 20
MOST = 100
Parameters = Iterable[tuple[str, str]]


def size(request: web.Request) -> int:
    """Return how many items are asked for."""
    return asked.number(request.query, "limit", default=SIZE, least=1, most=MOST)


def cursor(request: web.Request) -> str:
    """Return the cursor given, empty without one."""
    return asked.one(request.query, "cursor")


def address(request: web.Request, parameters: Parameters, path: str = "") -> str:
    """Return an address on this gateway."""
    query = urlencode(list(parameters))
    return f"{request.url.origin()}{path or request.path}" + (f"?{query}" if query else "")


class Numbered:
    """A page of an answer to this request: its own address and its neighbours'."""

    def __init__(self, request: web.Request, page: Page, *, stream: str = "") -> None:
        kept = [(n, v) for n, v in request.query.items() if n != "cursor"]
        given = cursor(request)

        def at(place: str) -> str:
            return address(request, [*kept, ("cursor", place)]) if place else ""

        self.page = page
        self.whole = address(request, kept)
        self.id = at(given) or self.whole
        self.next, self.previous = at(page.next), at(page.previous)
        self.stream = stream

    def document(self, items: Sequence[Any], **more: Any) -> dict[str, Any]:
        """Return the page as an OrderedCollectionPage."""
        said = {"next": self.next, "prev": self.previous, "stream": self.stream}
        return {
            "@context": CONTEXT,
            "id": self.id,
            "type": "OrderedCollectionPage",
            "partOf": self.whole,
            "first": self.whole,
            "totalItems": self.page.total,
            "orderedItems": list(items),
            **{name: value for name, value in said.items() if value},
            **more,
        }

    def links(self) -> list[tuple[str, str]]:
        """Return the relations for the Link header."""
        return [("first", self.whole), ("next", self.next), ("prev", self.previous), ("alternate stream", self.stream)]


def collection(id_: str, items: Sequence[Mapping[str, Any]], total: int) -> dict[str, Any]:
    """Return a small collection that is given whole."""
    return {"id": id_, "type": "OrderedCollection", "totalItems": total, "orderedItems": list(items)}
