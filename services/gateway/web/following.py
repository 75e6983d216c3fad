"""The page of what one follows: newest first and never ranked, and what is new since the last time."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from services.common.clock import now
from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway import follows, paging, personal
from services.gateway.filters import Filters
from services.gateway.handlers import following, searches
from services.gateway.handlers.me import somebody
from services.gateway.keys import INDEXED, REACTIONS
from services.gateway.stream.selection import FEEDS
from services.gateway.web import cards, forms, subjects
from services.gateway.web.frame import show


async def page(request: web.Request) -> web.StreamResponse:
    """Show what one follows."""
    asked.only(request.query, "cursor")
    asker, cursor = somebody(request), paging.cursor(request)
    at = await request.app[INDEXED].position(asker, Filters())
    until = rfc3339(now())
    found = await personal.page(request, asker, "following", size=cards.SHOWN, cursor=cursor)
    return await show(
        request,
        "following.html",
        "following",
        cards=cards.cards_of(request, found.items),
        fresh=found.unread,
        read=cards.since(found.read),
        until=until,
        follows=await subjects.named(request, request.app[REACTIONS].follows(asker.person)),
        stream="" if cursor else cards.stream(request, [("feed", "following")], at.text()),
        next=cards.older(request, found.page),
    )


async def read(request: web.Request) -> web.StreamResponse:
    """Mark a feed as read up to when its page was made: what came meanwhile stays new."""
    asker, sent = somebody(request), await forms.fields(request)
    feed = next((one for one in FEEDS if one == sent.get("feed")), None)
    if feed is None:
        raise asked.wrong("feed", f"one of {', '.join(FEEDS)} is expected")
    await personal.mark(request, asker.person, feed, following.moment(sent.get("until", "")))
    return forms.went(request, forms.back(sent, "/"), "read")


async def follow(request: web.Request) -> web.StreamResponse:
    """Follow something, or follow it no more."""
    asker, sent = somebody(request), await forms.fields(request)
    ref = following.ref_of(sent.get("ref", ""))
    if sent.get("act") == "unfollow":
        await following.end(request, asker.person, ref)
        return forms.went(request, forms.back(sent, "/following"), "left")
    await following.begin(request, asker.person, ref)
    return forms.went(request, forms.back(sent, "/following"), "followed")


async def search(request: web.Request) -> web.StreamResponse:
    """Keep a question and follow it, or keep it no more."""
    asker, sent = somebody(request), await forms.fields(request)
    name = sent.get("name", "").strip()
    if sent.get("act") == "remove":
        await following.end(request, asker.person, follows.SEARCH + name)
        await searches.drop(request, asker.person, name)
        return forms.went(request, forms.back(sent, "/following"), "unsaved")
    await searches.keep(request, asker.person, name, forms.checked(searches.Saved, {"query": _question(sent)}))
    await following.begin(request, asker.person, follows.SEARCH + name)
    return forms.went(request, forms.back(sent, "/following"), "saved")


def _question(sent: Mapping[str, str]) -> str:
    """Return the question of a search's address: without what only the page of a search knows."""
    pairs = [(n, v) for n, v in parse_qsl(sent.get("query", "")) if n in asked.FIELDS or n in ("q", "since", "until")]
    return urlencode(pairs)
