"""``/v1/activities``: everything the asker may see, newest first; and one of them."""

import orjson
from aiohttp import web

from services.gateway import filters as asked
from services.gateway import live, paging
from services.gateway.feeds import ATOM, JSON_FEED
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK, NAMES
from services.gateway.problems import not_found
from services.gateway.respond import Link, answer


async def page(request: web.Request) -> web.Response:
    """Answer with one page."""
    asked.only(request.query, *asked.FIELDS, "since", "until", "q", *paging.PAGING)
    wanted = asked.read(request.query)
    place = await live.before(request, wanted)  # asked for first: what comes behind it is not on the page for certain
    query = wanted.activities(size=paging.size(request), cursor=paging.cursor(request))
    found = await request.app[DESK].find(request[ASKER], query)
    items = [activity_of(hit.document) for hit in found.hits]
    for item in items:
        request.app[NAMES].learn_json(item)
    return paging.answered(
        request, found, items, live=live.behind(request, place, items, wanted), feeds=_feeds(request, wanted)
    )


def _feeds(request: web.Request, wanted: asked.Filters) -> list[Link]:
    """Return the same for readers of feeds."""
    forms = (("/v1/feed.atom", ATOM), ("/v1/feed.json", JSON_FEED))
    return [Link(paging.address(request, wanted.pairs(), path), "alternate", {"type": kind}) for path, kind in forms]


async def one(request: web.Request) -> web.Response:
    """Answer with one activity."""
    asked.only(request.query)
    id_ = request.match_info["id"]
    found = await request.app[DESK].get(request[ASKER], "activities", [id_])
    if id_ not in found:
        raise not_found()
    return answer(request, orjson.Fragment(found[id_]["as2"]))
