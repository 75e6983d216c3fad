"""Pages of collections in ActivityStreams 2.0, with ``Link`` headers that say the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.common.search import Page
from services.gateway import filters as asked
from services.gateway.auth import PARAMETER
from services.gateway.filters import Filters
from services.gateway.keys import SETTINGS
from services.gateway.respond import Link, answer

SIZE = 20
MOST = 100
PAGING = ("limit", "cursor", "live", "view")
"""Parameters that every paged resource takes."""
_PLACE = frozenset({"cursor", "live", "view"})
Parameters = Iterable[tuple[str, str]]


def size(request: web.Request) -> int:
    """Return how many items are asked for."""
    return asked.number(request.query, "limit", default=SIZE, least=1, most=MOST)


def cursor(request: web.Request) -> str:
    """Return the cursor given, empty without one."""
    return asked.one(request.query, "cursor")


def whole(request: web.Request) -> bool:
    """Return whether the collection itself is asked for instead of a page; raises Problem for other views."""
    view = asked.one(request.query, "view")
    if view not in ("", "collection"):
        raise asked.wrong("view", "collection is expected, or nothing for a page")
    return bool(view)


def origin(request: web.Request) -> str:
    """Return where this gateway is reached: as the operator has said it, else as the request came."""
    return request.app[SETTINGS].public_url.rstrip("/") or str(request.url.origin())


def address(request: web.Request, parameters: Parameters, path: str = "") -> str:
    """Return an address on this gateway."""
    query = urlencode(list(parameters))
    return f"{origin(request)}{path or request.path}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How to go on live from a page. ``id`` is the place on the stream; ``query`` asks for the same as the page."""

    id: str
    query: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, id_: str, wanted: Filters) -> "Live":
        """Return how to go on with the same filters."""
        return cls(id=id_, query=wanted.pairs())


def stream_of(request: web.Request, live: Live) -> str:
    """Return the address to go on live at."""
    who = [(n, v) for n, v in request.query.items() if n == PARAMETER]
    return address(request, [*live.query, ("last_event_id", live.id), *who], "/v1/stream")


def stream_link(stream: str, live: Live) -> Link:
    """Return the relation that says so."""
    return Link(stream, "alternate", {"type": "text/event-stream", "last-event-id": live.id})


class Numbered:
    """A page of an answer to this request: its own address and its neighbours'.

    Every page passes the first one's place on the stream on, so that whoever has read several pages goes on live from
    before all of them.
    """

    def __init__(self, request: web.Request, page: Page, *, live: Live | None = None) -> None:
        kept = [(n, v) for n, v in request.query.items() if n not in _PLACE]
        carried = [("live", live.id)] if live else []
        given = cursor(request)

        def at(place: str) -> str:
            return address(request, [*kept, ("cursor", place), *carried]) if place else ""

        self.page = page
        self.first = address(request, kept)
        self.whole = address(request, [*kept, ("view", "collection")])
        self.id = address(request, [*kept, ("cursor", given)]) if given else self.first
        self.next, self.previous, self.last = at(page.next), at(page.previous), at(page.last)
        self.live = live
        self.stream = stream_of(request, live) if live else ""

    def document(self, items: Sequence[Any], **more: Any) -> dict[str, Any]:
        """Return the page as an OrderedCollectionPage."""
        said = {"last": self.last, "next": self.next, "prev": self.previous}
        return {
            "@context": CONTEXT,
            "id": self.id,
            "type": "OrderedCollectionPage",
            "partOf": self.whole,
            "first": self.first,
            "totalItems": self.page.total,
            "orderedItems": list(items),
            **{name: value for name, value in said.items() if value},
            **self._live(),
            **more,
        }

    def collection(self, **more: Any) -> dict[str, Any]:
        """Return the collection that the page is a part of; its items are on its pages only."""
        return {
            "@context": CONTEXT,
            "id": self.whole,
            "type": "OrderedCollection",
            "totalItems": self.page.total,
            "first": self.first,
            "last": self.last or self.first,
            **self._live(),
            **more,
        }

    def _live(self) -> dict[str, str]:
        # ``eventStream`` is the name in the SWICG draft for server-sent events in ActivityPub.
        return {"stream": self.stream, "eventStream": self.stream} if self.stream else {}

    def links(self) -> list[Link]:
        """Return the relations for the Link header."""
        stream = [stream_link(self.stream, self.live)] if self.live else []
        return [
            Link(self.first, "first"),
            Link(self.last, "last"),
            Link(self.next, "next"),
            Link(self.previous, "prev"),
            Link(self.whole, "collection"),
            *stream,
        ]


def answered(
    request: web.Request,
    page: Page,
    items: Sequence[Any],
    *,
    live: Live | None = None,
    feeds: Iterable[Link] = (),
    **more: Any,
) -> web.Response:
    """Return the answer with a page, or with the collection where that is asked for."""
    numbered = Numbered(request, page, live=live)
    links = [*numbered.links(), *feeds]
    if whole(request):
        return answer(request, numbered.collection(**more), links=links, same=[page.total, numbered.whole])
    # Where to go on live moves with every event; the page is the same as long as what it shows is.
    same = [numbered.id, page.total, bool(page.next), bool(page.previous), list(items), more]
    return answer(request, numbered.document(items, **more), links=links, same=same)


def collection(id_: str, items: Sequence[Mapping[str, Any]], total: int) -> dict[str, Any]:
    """Return a small collection that is given whole."""
    return {"id": id_, "type": "OrderedCollection", "totalItems": total, "orderedItems": list(items)}
