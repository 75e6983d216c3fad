"""``/openapi.json`` for programs and ``/docs`` for people, both from the table of routes."""

import orjson
from aiohttp import web

from services.gateway import openapi as description
from services.gateway import problems
from services.gateway.respond import answer_bytes


async def openapi(request: web.Request) -> web.Response:
    """Answer with the OpenAPI description."""
    from services.gateway.routes import ROUTES  # the table names this handler

    return answer_bytes(request, orjson.dumps(description.document(ROUTES)), kind="application/json")


async def page(request: web.Request) -> web.Response:
    """Answer with the page about the API."""
    from services.gateway.routes import ROUTES
    from services.gateway.web.rendering import render

    context = {"routes": ROUTES, "template": description.template, "problems": problems.TITLES}
    return answer_bytes(request, render("docs.html", context).encode(), kind="text/html; charset=utf-8")
