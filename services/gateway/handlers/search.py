"""``/v1/search``: by words, by meaning or both, with facets and highlights."""

from typing import cast, get_args

from aiohttp import web

from services.gateway import filters as asked
from services.gateway import finding, live, paging
from services.gateway.items import hit_of
from services.gateway.keys import ASKER, DESK


async def search(request: web.Request) -> web.Response:
    """Answer with one page of what was found."""
    known = tuple(name for name in asked.FIELDS if name != "actor")
    asked.only(request.query, "q", "mode", *known, "since", "until", *paging.PAGING)
    wanted = asked.read(request.query)
    if not wanted.text:
        raise asked.wrong("q", "words to look for are expected")
    place = await live.before(request, wanted)
    page = await finding.things(
        request.app[DESK],
        request[ASKER],
        wanted,
        mode=_mode(request),
        size=paging.size(request),
        cursor=paging.cursor(request),
    )
    items = [hit_of(hit) for hit in page.hits]
    behind = live.behind(request, place, items, wanted)
    return paging.answered(request, page, items, live=behind, facets=finding.facets_of(page))


def _mode(request: web.Request) -> finding.Mode:
    given = asked.one(request.query, "mode") or "hybrid"
    modes = get_args(finding.Mode)
    if given not in modes:
        raise asked.wrong("mode", f"one of {', '.join(modes)} is expected")
    return cast(finding.Mode, given)
