"""What surrounds every page: as whom it is viewed, the template around it, its errors, and its static files."""

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.gateway import problems
from services.gateway.auth import COOKIE
from services.gateway.handlers import bodies
from services.gateway.handlers.people import name_of
from services.gateway.keys import ASKER, AUTH, UNREAD
from services.gateway.problems import Handler, Problem
from services.gateway.respond import answer_bytes
from services.gateway.unread import INBOX
from services.gateway.visits import visiting
from services.gateway.web import forms, present, viewers
from services.gateway.web.cards import AWAY
from services.gateway.web.rendering import render

_YEAR = 365 * 86_400
_COUNT_SECONDS = 1.0
"""How long a page waits to know how much is unread; without an answer it says nothing of it."""
_PAGES = web.AppKey("pages", frozenset)


def add_routes(app: web.Application, pages: Mapping[str, Handler], posts: Mapping[str, Handler]) -> None:
    """Add pages, what their forms are sent to, and static files."""
    for path, handler in pages.items():
        app.router.add_get(path, _as_somebody(handler), expect_handler=problems.expected)
    for path, handler in posts.items():
        app.router.add_post(path, _as_somebody(handler), expect_handler=problems.expected)
    app.router.add_post("/view-as", view_as, expect_handler=problems.expected)
    app.router.add_get("/static/{name}", static, expect_handler=problems.expected)
    app[_PAGES] = frozenset((*pages, *posts, "/view-as"))


def _as_somebody(handler: Handler) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        try:
            asker = await request.app[AUTH].asker(request)
        except Problem as problem:
            if problem.status == 401 and request.app[AUTH].mode == "oidc":
                raise web.HTTPSeeOther(f"/login?{urlencode({'next': request.path_qs})}") from None
            raise
        with visiting(request):
            request[ASKER] = asker if asker.person else await viewers.somebody(request, asker)
            return await handler(request)

    return page


async def show(request: web.Request, template: str, section: str, **context: Any) -> web.Response:
    """Return a page: a template with what it needs, and with what every page shows."""
    asker = request[ASKER]
    demo = request.app[AUTH].mode == "demo"
    said = forms.said(request)
    everywhere = {
        "viewer": present.party(asker.person, name_of(request, asker.person), "people") if asker.person else None,
        "people": await viewers.people(request, asker) if demo else (),
        "signed_in": not demo,
        "section": section,
        "flash": said,
        "unread": await _unread(request),
        "acting": forms.as_shown(request, ""),
        "here": request.path_qs,
    }
    response = answer_bytes(request, render(template, everywhere | context).encode(), kind="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    if said:
        response.del_cookie(forms.DONE, path="/", httponly=True, samesite="Strict")
    return response


async def _unread(request: web.Request) -> int:
    """Return how much of what is meant for the viewer is unread; 0 where the index does not say at once."""
    if not request[ASKER].person:
        return 0
    try:
        async with asyncio.timeout(_COUNT_SECONDS):
            return await request.app[UNREAD].count(request[ASKER], INBOX)
    except AWAY:
        return 0


async def view_as(request: web.Request) -> web.StreamResponse:
    """Remember as whom the page is viewed (demo mode), and go back to where one was."""
    if request.app[AUTH].mode != "demo":
        raise Problem(404, "not-found", "Only demo mode lets one be somebody else.")
    await request.app[AUTH].asker(request)
    chosen = (await bodies.fields(request)).get("as", "")
    if len(chosen) > 512 or not chosen.isprintable():
        raise Problem(400, "bad-body", "as: a person id is expected.")
    response = web.Response(status=303, headers={"Location": "/"})
    response.set_cookie(COOKIE, chosen, max_age=_YEAR, httponly=True, samesite="Strict", path="/")
    return response


async def static(request: web.Request) -> web.StreamResponse:
    """Give a static file; browsers ask whether it is still the same."""
    name = request.match_info["name"]
    kind = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}.get(Path(name).suffix)
    found = files("services.gateway.web").joinpath("static", name)
    if kind is None or "/" in name or not found.is_file():
        raise web.HTTPNotFound
    return answer_bytes(request, found.read_bytes(), kind=f"{kind}; charset=utf-8")


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Show errors of pages as a page; those of the API stay problem documents."""
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in _canonical(request.app):
        return await handler(request)
    try:
        return await handler(request)
    except Exception as error:  # whatever it is becomes a page; ``of`` logs what is our mistake
        if isinstance(error, web.HTTPException) and error.status < 400:
            raise
        problem = problems.of(error)
        html = render("error.html", {"title": problems.TITLES[problem.kind], "detail": problem.detail})
        headers = {"Cache-Control": "no-store", **problem.headers}
        return web.Response(status=problem.status, text=html, content_type="text/html", headers=headers)


def _canonical(app: web.Application) -> frozenset[str]:
    return frozenset(path.replace(":.+", "") for path in app[_PAGES])
