"""``/v1/search``: by words, by meaning or both, with facets and highlights."""

from typing import cast, get_args

from aiohttp import web

from services.gateway import filters as asked
from services.gateway import finding, paging
from services.gateway.items import hit_of
from services.gateway.keys import ASKER, DESK
from services.gateway.respond import answer


async def search(request: web.Request) -> web.Response:
    """Answer with one page of what was found."""
    known = tuple(name for name in asked.FIELDS if name != "actor")
    asked.only(request.query, "q", "mode", *known, "since", "until", "limit", "cursor")
    wanted = asked.read(request.query)
    if not wanted.text:
        raise asked.wrong("q", "words to look for are expected")
    page = await finding.things(
        request.app[DESK],
        request[ASKER],
        wanted,
        mode=_mode(request),
        size=paging.size(request),
        cursor=paging.cursor(request),
    )
    numbered = paging.Numbered(request, page)
    facets = finding.facets_of(page)
    return answer(request, numbered.document([hit_of(hit) for hit in page.hits], facets=facets), links=numbered.links())


def _mode(request: web.Request) -> finding.Mode:
    given = asked.one(request.query, "mode") or "hybrid"
    modes = get_args(finding.Mode)
    if given not in modes:
        raise asked.wrong("mode", f"one of {', '.join(modes)} is expected")
    return cast(finding.Mode, given)
