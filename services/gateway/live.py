"""From a page to the stream: how a request's answer says where to go on live."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from services.gateway import filters as asked
from services.gateway.filters import Filters
from services.gateway.keys import ASKER, INDEXED
from services.gateway.paging import Live
from services.gateway.stream.position import NotAPosition, Position, Shown

Place = tuple[Position, Shown]


async def before(request: web.Request, wanted: Filters) -> Place:
    """Return the place on the stream before a page is asked for; raises Problem for a place that no page named."""
    try:
        return await request.app[INDEXED].before(request[ASKER], wanted, asked.one(request.query, "live"))
    except NotAPosition:
        raise asked.wrong("live", "it is given by pages, in next and prev; pass it on unchanged") from None


def behind(request: web.Request, place: Place, items: Iterable[Mapping[str, Any]], wanted: Filters) -> Live:
    """Return how to go on live behind a page."""
    return Live.of(request.app[INDEXED].behind(place, items), wanted)
