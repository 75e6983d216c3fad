"""``/v1/me/streams``: sets of subscriptions for one connection; ``/v1/stream-token``: a token to open one with."""

from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.common.bus import Unpublished
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


class Set(BaseModel):
    """A set of subscriptions, as sent: by name, each as the query string of a stream."""

    model_config = ConfigDict(extra="forbid", strict=True)

    subscriptions: dict[str, _QUERY] = Field(max_length=sets.MOST)


class Ask(BaseModel):
    """What a token is asked for: the query string of the stream."""

    model_config = ConfigDict(extra="forbid", strict=True)

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
    try:
        given = Set.model_validate_json(await _body(request))
    except ValidationError as error:
        raise _wrong(error) from None
    subscriptions = dict(sets.checked(given.subscriptions))
    known = request.app[REMEMBERED].of(person, sets.PREFIX)
    if name not in known and len(known) >= _SETS:
        raise Problem(409, "too-many", f"You have {_SETS} sets already; remove one first.")
    await _remember(request, person, name, subscriptions)
    return web.Response(status=204)


async def remove(request: web.Request) -> web.Response:
    """Remove a set; streams that read it end."""
    asked.only(request.query)
    person, name = somebody(request).person, _name(request)
    if sets.of(request.app[REMEMBERED], person, name) is None:
        raise not_found()
    await _remember(request, person, name, None)
    return web.Response(status=204)


async def _remember(request: web.Request, person: str, name: str, subscriptions: dict[str, str] | None) -> None:
    value = None if subscriptions is None else {"subscriptions": subscriptions}
    try:
        await request.app[REMEMBERED].put(person, sets.PREFIX + name, value)
        await request.app[REMEMBERED].caught_up()
    except Unpublished as error:
        raise Problem(503, "not-yet", "Kafka does not take it for the moment.", retry_after=5) from error


async def token(request: web.Request) -> web.Response:
    """Answer with a token that opens one stream, once, within a minute."""
    asked.only(request.query)
    try:
        given = Ask.model_validate_json(await _body(request) or b"{}")
    except ValidationError as error:
        raise _wrong(error) from None
    query = tokens.read(given.query)
    try:
        made, expires = await request.app[STREAM_TOKENS].issue(request[ASKER], query)
    except Unpublished as error:
        raise Problem(503, "not-yet", "Kafka does not take it for the moment.", retry_after=5) from error
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


async def _body(request: web.Request) -> bytes:
    body = (await bodies.received(request)).strip()
    if body and request.content_type != "application/json":
        raise Problem(415, "bad-body", "application/json is expected.")
    return body


def _wrong(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return Problem(400, "bad-body", f"{where}: {first['msg']}.")
