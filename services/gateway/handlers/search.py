"""``/v1/search``: by words, by meaning or both, with facets and highlights."""

from typing import Any, cast, get_args

from aiohttp import web

from services.common.search import Hit
from services.gateway import filters as asked
from services.gateway import finding, inquiry, live, paging
from services.gateway.handlers.people import known
from services.gateway.inquiry import Answer
from services.gateway.items import hit_of
from services.gateway.keys import ASKER, DESK


async def search(request: web.Request) -> web.Response:
    """Answer with one page of what was found."""
    filters = tuple(name for name in asked.FIELDS if name not in asked.OF_ACTS)
    asked.only(request.query, "q", "mode", "group", *filters, "since", "until", *paging.PAGING)
    wanted = asked.read(request.query)
    if not wanted.text:
        raise asked.wrong("q", "words to look for are expected")
    together = _together(request)
    place = await live.before(request, wanted)
    found = await inquiry.ask(
        request.app[DESK],
        request[ASKER],
        wanted,
        known(request),
        mode=_mode(request),
        size=paging.size(request),
        cursor=paging.cursor(request),
        together=together,
    )
    more: dict[str, Any] = {"didYouMean": found.meant} if found.meant else {}
    items = [hit_of(hit) | (_conversation(found, hit) if together else {}) for hit in found.page.hits]
    # The stream knows words and filters only: what was narrowed by from: or in: is not gone on with live.
    behind = live.behind(request, place, items, wanted) if found.plain else None
    facets = finding.facets_of(found.page)
    return paging.answered(request, found.page, items, live=behind, facets=facets, **more)


def _conversation(found: Answer, hit: Hit) -> dict[str, Any]:
    thread, count = found.conversation(hit)
    return {"conversation": {"id": thread, "found": count}}


def _together(request: web.Request) -> bool:
    given = asked.one(request.query, "group") or "conversation"
    if given not in ("conversation", "none"):
        raise asked.wrong("group", "conversation or none is expected")
    return given == "conversation"


def _mode(request: web.Request) -> finding.Mode:
    given = asked.one(request.query, "mode") or "hybrid"
    modes = get_args(finding.Mode)
    if given not in modes:
        raise asked.wrong("mode", f"one of {', '.join(modes)} is expected")
    return cast(finding.Mode, given)
