"""``/v1/feed.atom`` and ``/v1/feed.json``: any feed, or any question to it, for readers of feeds."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.gateway import feeds, paging, preferences
from services.gateway import filters as asked
from services.gateway.feeds import Feed
from services.gateway.handlers.me import item_of, somebody
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK, FOR_YOU, UNREAD
from services.gateway.respond import answer_bytes
from services.gateway.stream import sets
from services.gateway.stream.selection import Feed as OwnFeed


async def atom(request: web.Request) -> web.Response:
    """Answer with Atom."""
    return await _answer(request, feeds.atom, feeds.ATOM)


async def json(request: web.Request) -> web.Response:
    """Answer with JSON Feed."""
    return await _answer(request, feeds.json_feed, feeds.JSON_FEED)


async def _answer(request: web.Request, form: Callable[[Feed], bytes], kind: str) -> web.Response:
    asked.only(request.query, *asked.FIELDS, "since", "until", "q", "feed", "limit", "cursor")
    name = sets.feed_of(asked.one(request.query, "feed") or "all")
    feed = await (_for_you(request) if name == "for-you" else _found(request, sets.own_feed(name)))
    return answer_bytes(request, form(feed), kind=f"{kind}; charset=utf-8")


async def _for_you(request: web.Request) -> Feed:
    asked.only(request.query, "feed", "limit")  # it cannot be narrowed down, and what is asked for must not be widened
    asker = somebody(request)
    dial = preferences.of(request, asker.person).surprise
    found = await request.app[FOR_YOU].suggested(asker, dial=dial, size=paging.size(request))
    return _feed(request, "For you", "/for-you", [item_of(one) for one in found])


async def _found(request: web.Request, own: OwnFeed | None) -> Feed:
    """Return what is found in a feed of the asker's own, or in everything."""
    wanted, asker = asked.read(request.query), somebody(request) if own else request[ASKER]
    where = request.app[UNREAD].condition(asker.person, own) if own else None
    query = wanted.activities(where=where, size=paging.size(request), cursor=paging.cursor(request))
    page = await request.app[DESK].find(asker, query)
    items = [activity_of(hit.document) for hit in page.hits]
    home = f"/{own}" if own else "/" + (f"?{urlencode(wanted.pairs())}" if wanted.pairs() else "")
    title = ", ".join([*([own.capitalize()] if own else []), *(value for _, value in wanted.pairs())])
    return _feed(request, title or "Everything", home, items, after=page.next)


def _feed(request: web.Request, title: str, home: str, items: list[dict[str, Any]], *, after: str = "") -> Feed:
    kept = [(n, v) for n, v in request.query.items() if n != "cursor"]
    return Feed(
        title=f"{title} · Watercooler",
        origin=paging.origin(request),
        home=f"{paging.origin(request)}{home}",
        address=paging.address(request, kept),
        next=paging.address(request, [*kept, ("cursor", after)]) if after else "",
        items=items,
    )
