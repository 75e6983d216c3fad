"""``/v1/me/settings``: what the asker has set for themselves."""

from dataclasses import asdict, replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from services.gateway import filters as asked
from services.gateway import preferences
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.respond import answer


class Settings(bodies.Body):
    """Where the dial stands (0 familiar, 1 surprising), whether one wants recommendations; what is left out stays."""

    surprise: Annotated[float, Field(ge=0, le=1)] | None = None
    recommendations: bool | None = None


async def read(request: web.Request) -> web.Response:
    """Answer with what is set."""
    asked.only(request.query)
    return answer(request, asdict(preferences.of(request, somebody(request).person)), kind="application/json")


async def put(request: web.Request) -> web.Response:
    """Set what is given, and leave the rest as it is."""
    asked.only(request.query)
    person, given = somebody(request).person, await bodies.read(request, Settings)
    before = preferences.of(request, person)
    await preferences.put(request, person, replace(before, **given.model_dump(exclude_none=True)))
    return web.Response(status=204)
