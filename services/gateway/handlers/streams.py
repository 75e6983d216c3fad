"""``/v1/me/streams``: sets of subscriptions for one connection; ``/v1/stream-token``: a token to open one with."""

from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import ConfigDict, Field

from services.gateway import filters as asked
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.keys import ASKER, REMEMBERED, STREAM_TOKENS
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer
from services.gateway.stream import sets, tokens

_QUERY = Annotated[str, Field(max_length=4_000)]
_SETS = 50
"""Sets of one person."""


class Set(bodies.Body):
    """A set of subscriptions: by name, each as the query string of a stream, such as feed=all&container=..."""

    model_config = ConfigDict(title="StreamSet")

    subscriptions: dict[str, _QUERY] = Field(max_length=sets.MOST)


class Ask(bodies.Body):
    """What a token is asked for: the query string of the stream."""

    model_config = ConfigDict(title="StreamQuery")

    query: _QUERY = ""


async def every(request: web.Request) -> web.Response:
    """Answer with all sets of the asker."""
    asked.only(request.query)
    found = request.app[REMEMBERED].of(somebody(request).person, sets.PREFIX)
    return answer(request, {name: value["subscriptions"] for name, value in found.items()}, kind="application/json")


async def one(request: web.Request) -> web.Response:
    """Answer with one set."""
    asked.only(request.query)
    found = sets.of(request.app[REMEMBERED], somebody(request).person, request.match_info["name"])
    if found is None:
        raise not_found()
    return answer(request, {"subscriptions": found}, kind="application/json")


async def put(request: web.Request) -> web.Response:
    """Make or change a set; streams that read it go on with what it is now."""
    asked.only(request.query)
    person, name = somebody(request).person, _name(request)
    given = await bodies.read(request, Set)
    subscriptions = dict(sets.checked(given.subscriptions))
    known = request.app[REMEMBERED].of(person, sets.PREFIX)
    if name not in known and len(known) >= _SETS:
        raise Problem(409, "too-many", f"You have {_SETS} sets already; remove one first.")
    await bodies.remember(request, person, sets.PREFIX + name, {"subscriptions": subscriptions})
    return web.Response(status=204)


async def remove(request: web.Request) -> web.Response:
    """Remove a set; streams that read it end."""
    asked.only(request.query)
    person, name = somebody(request).person, _name(request)
    if sets.of(request.app[REMEMBERED], person, name) is None:
        raise not_found()
    await bodies.remember(request, person, sets.PREFIX + name, None)
    return web.Response(status=204)


async def token(request: web.Request) -> web.Response:
    """Answer with a token that opens one stream, once, within a minute."""
    asked.only(request.query)
    given = await bodies.read(request, Ask)
    query = tokens.read(given.query)
    with bodies.kafka():
        made, expires = await request.app[STREAM_TOKENS].issue(request[ASKER], query)
    address = "/v1/stream?" + urlencode([*query, (tokens.PARAMETER, made)])
    response = answer(
        request, {"token": made, "expires": expires.isoformat(), "stream": address}, kind="application/json", status=201
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _name(request: web.Request) -> str:
    name = request.match_info["name"]
    if len(name) > sets.LONGEST_NAME or not name.isprintable():
        raise asked.wrong("name", f"1 to {sets.LONGEST_NAME} printable characters are expected")
    return name
