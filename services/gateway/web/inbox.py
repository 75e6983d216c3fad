"""The inbox: what mentions one, and what one's own rules notify of; each with how much of it is unread."""

from aiohttp import web

from services.common.clock import now
from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway import paging, personal
from services.gateway.filters import Filters
from services.gateway.handlers.me import somebody
from services.gateway.keys import INDEXED, UNREAD
from services.gateway.stream.selection import Feed
from services.gateway.web import cards
from services.gateway.web.frame import show

_EMPTY = {
    "mentions": "Nobody has mentioned you yet. Whoever writes @ and your handle reaches you here.",
    "notifications": "Your rules have found nothing yet.",
}


async def mentions(request: web.Request) -> web.StreamResponse:
    """Show what mentions one."""
    return await _page(request, "mentions", "notifications")


async def notifications(request: web.Request) -> web.StreamResponse:
    """Show what one's rules notify of."""
    return await _page(request, "notifications", "mentions")


async def _page(request: web.Request, feed: Feed, other: Feed) -> web.StreamResponse:
    asked.only(request.query, "cursor")
    asker, cursor = somebody(request), paging.cursor(request)
    at = await request.app[INDEXED].position(asker, Filters())
    until = rfc3339(now())
    found = await personal.page(request, asker, feed, size=cards.SHOWN, cursor=cursor)
    counts = {feed: found.unread, other: await request.app[UNREAD].count(asker, (other,))}
    return await show(
        request,
        "inbox.html",
        "inbox",
        feed=feed,
        counts=counts,
        cards=cards.cards_of(request, found.items),
        fresh=found.unread,
        read=cards.since(found.read),
        until=until,
        empty=_EMPTY[feed],
        stream="" if cursor else cards.stream(request, [("feed", feed)], at.text()),
        notices=personal.notices(request, asker.person) if feed == "notifications" else (),
        next=cards.older(request, found.page),
    )
