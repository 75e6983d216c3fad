"""The page of a search: hits with what was found in them, and facets to narrow it down."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from services.common.clock import now
from services.common.errors import Reject
from services.common.search import Hit, Page
from services.gateway import filters as asked
from services.gateway import finding, inquiry, paging
from services.gateway.filters import Filters
from services.gateway.handlers.people import known, name_of
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK, NAMES
from services.gateway.web import cards, viewers
from services.gateway.web.frame import show
from services.gateway.web.present import Card


async def search(request: web.Request) -> web.StreamResponse:
    """Show what was found, with facets to narrow it down."""
    asked.only(request.query, "q", "mode", *asked.FIELDS, "since", "until", "cursor")
    wanted = asked.read(request.query)
    page, meant = Page(hits=(), total=0), ""
    problem = ""
    try:
        if wanted.text:
            found = await inquiry.ask(
                request.app[DESK],
                request[ASKER],
                wanted,
                known(request),
                cursor=paging.cursor(request),
            )
            page, meant = found.page, found.meant
    except cards.AWAY:
        problem = cards.NOT_YET
    except Reject as error:
        problem = f"{error}."
    at = now()
    older, newer = cards.older(request, page), cards.newer(request, page)
    hits = [_marked(request, hit, at) for hit in page.hits]
    facets = await _facets(request, wanted, page)
    return await show(
        request,
        "search.html",
        "search",
        q=wanted.text,
        meant=meant,
        meant_href=f"/search?{urlencode([*(p for p in wanted.pairs() if p[0] != 'q'), ('q', meant)])}",
        hits=hits,
        total=page.total,
        facets=facets,
        next=older,
        previous=newer,
        problem=problem,
        question=urlencode(wanted.pairs()),
        called=wanted.text[:64] or ", ".join(value for _, value in wanted.pairs())[:64],
        tags=[(one, cards.followed(request, one)) for one in wanted.get("tag")],
    )


def _marked(request: web.Request, hit: Hit, at: datetime) -> tuple[Card, Markup, Markup]:
    # Highlights are escaped by the index before <mark> is put in (promised by the search port, tested there).
    title, text = (Markup(" … ".join(hit.highlights.get(name, ()))) for name in ("title", "text"))  # noqa: S704
    return cards.card_of(request, activity_of(hit.document), at), title, text


async def _facets(request: web.Request, wanted: Filters, page: Page) -> list[tuple[str, str, list[Any]]]:
    """Return (title, name of the filter, [(value, label, count, address, whether chosen)]) per facet."""
    titles = {"type": "Kind", "container": "Place", "person": "Person", "source": "Source", "tag": "Tag"}
    counted = finding.facets_of(page)
    await viewers.learn(request, [*counted.get("person", {}), *counted.get("container", {})], page)
    found = []
    for name, title in titles.items():
        chosen = wanted.get(name)
        values = []
        for value, count in list(counted.get(name, {}).items())[:8]:
            kept = [(n, v) for n, v in wanted.pairs() if (n, v) != (name, value)]
            pairs = kept if value in chosen else [*kept, (name, value)]
            label = _label(request, name, value)
            values.append((value, label, count, f"/search?{urlencode(pairs)}", value in chosen))
        found.append((title, name, values))
    return found


def _label(request: web.Request, name: str, value: str) -> str:
    if name == "person":
        return name_of(request, value)
    return request.app[NAMES].get(value, request[ASKER]) or value
