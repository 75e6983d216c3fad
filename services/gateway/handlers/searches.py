"""``/v1/me/searches``: questions that the asker keeps under a name, to ask again or to follow."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from services.gateway import filters as asked
from services.gateway import follows, paging
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.keys import REMEMBERED
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer

MOST = 100
_LONGEST_NAME = 64


class Saved(bodies.Body):
    """A question as sent: the query string of a feed."""

    query: Annotated[str, Field(min_length=1, max_length=4_000)]


async def every(request: web.Request) -> web.Response:
    """Answer with all of them."""
    asked.only(request.query)
    found = follows.searches(request.app[REMEMBERED], somebody(request).person)
    items = [{"id": follows.SEARCH + name, "type": "Search", "name": name, "query": q} for name, q in found.items()]
    return answer(request, paging.collection(paging.address(request, ()), items, len(items)))


async def put(request: web.Request) -> web.Response:
    """Keep one, or change it."""
    asked.only(request.query)
    await keep(request, somebody(request).person, request.match_info["name"], await bodies.read(request, Saved))
    return web.Response(status=204)


async def keep(request: web.Request, person: str, name: str, given: Saved) -> None:
    """Keep a question of a person under a name; raises Problem for what is none, and for one too many."""
    name = _name(name)
    if not follows.question(given.query).pairs():
        raise Problem(400, "bad-body", "query: a question is expected, as in q=incident&container=chat:hall.")
    known = follows.searches(request.app[REMEMBERED], person)
    if name not in known and len(known) >= MOST:
        raise Problem(409, "too-much", f"You keep {MOST} searches already; remove one first.")
    await bodies.remember(request, person, follows.SAVED + name, {"query": given.query})


async def remove(request: web.Request) -> web.Response:
    """Keep it no more; who follows it follows nothing by it."""
    asked.only(request.query)
    await drop(request, somebody(request).person, request.match_info["name"])
    return web.Response(status=204)


async def drop(request: web.Request, person: str, name: str) -> None:
    """Keep a question of a person no more; raises Problem where there is none."""
    name = _name(name)
    if name not in follows.searches(request.app[REMEMBERED], person):
        raise not_found()
    await bodies.remember(request, person, follows.SAVED + name, None)


def _name(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise asked.wrong("name", f"1 to {_LONGEST_NAME} printable characters are expected")
    return name
