"""``/openapi.json`` for programs and ``/docs`` for people, both from the table of routes."""

import orjson
from aiohttp import web

from services.common.errors import Reject, Retry, Stop
from services.common.search import Query
from services.gateway import openapi as description
from services.gateway import paging, problems
from services.gateway.examples import Names, commands
from services.gateway.items import activity_of
from services.gateway.keys import AUTH, DESK, RECOMMENDATIONS
from services.gateway.problems import Problem
from services.gateway.respond import answer_bytes


async def openapi(request: web.Request) -> web.Response:
    """Answer with the OpenAPI description, for the tools of today."""
    return _described(request, "3.1.0")


async def openapi_next(request: web.Request) -> web.Response:
    """Answer with the OpenAPI description in the version that has streams."""
    return _described(request, "3.2.0")


def _described(request: web.Request, version: description.Version) -> web.Response:
    from services.gateway.routes import ROUTES  # the table names these handlers

    found = description.document(ROUTES, version=version)
    return answer_bytes(request, orjson.dumps(found), kind="application/json")


async def page(request: web.Request) -> web.Response:
    """Answer with the page about the API."""
    from services.gateway.routes import ROUTES
    from services.gateway.web.rendering import render

    token = request.app[AUTH].mode == "oidc"
    context = {
        "examples": commands(paging.origin(request), await _names(request), token=token),
        "token": token,
        "routes": ROUTES,
        "template": description.template,
        "problems": problems.TITLES,
    }
    return answer_bytes(request, render("docs.html", context).encode(), kind="text/html; charset=utf-8")


async def _names(request: web.Request) -> Names:
    """Return what is there to ask about where everybody at this machine may know it (demo mode), else made-up names."""
    auth, people = request.app[AUTH], request.app[RECOMMENDATIONS].people()
    if auth.mode != "demo":
        return Names()
    wanted = {"people": tuple(people[:1])} if people else {}
    query = Query(kind="activities", principals=(), filters=wanted, without={"automated": ("true",)}, size=1)
    try:
        await auth.asker(request)  # refuses what demo mode does not answer
        page = await request.app[DESK].find(auth.as_person(""), query)
    except (Problem, Retry, Reject, Stop, TimeoutError):
        return Names()
    for hit in page.hits:
        activity = activity_of(hit.document)
        person, place = activity.get("person"), activity["audience"].get("container")
        if person and place:
            return Names(person=person, place=place, thing=activity["object"]["id"])
    return Names()
