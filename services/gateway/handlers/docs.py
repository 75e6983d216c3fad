"""``/openapi.json`` for programs and ``/docs`` for people, both from the table of routes."""

import orjson
from aiohttp import web

from services.gateway import openapi as description
from services.gateway import paging, problems
from services.gateway.examples import commands
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

    context = {
        "examples": commands(paging.origin(request)),
        "routes": ROUTES,
        "template": description.template,
        "problems": problems.TITLES,
    }
    return answer_bytes(request, render("docs.html", context).encode(), kind="text/html; charset=utf-8")
