"""``/v1/me/tokens``: the asker's API tokens; ``/v1/tokens``: everybody's, for administrators."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import ConfigDict, Field

from services.common.activitystreams import CONTEXT
from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.api_tokens import LONGEST_DAYS, MOST, ApiToken
from services.gateway.auth import Asker, administrator
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.keys import ASKER, AUTH, REMEMBERED
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer


class Given(bodies.Body):
    """What a new token is asked for with."""

    model_config = ConfigDict(title="NewToken")

    label: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Literal["read", "write"]], Field(min_length=1, max_length=2)] = Field(["read"])
    days: Annotated[float, Field(gt=0, le=LONGEST_DAYS)] = 90


async def mine(request: web.Request) -> web.Response:
    """Answer with the asker's tokens; the tokens themselves are kept nowhere."""
    asked.only(request.query)
    return _listed(request, request.app[AUTH].tokens.of(in_person(request).person))


async def create(request: web.Request) -> web.Response:
    """Make a token; its text is in this answer and in no other."""
    asked.only(request.query)
    asker = in_person(request)
    made, text = await create_as(request, asker, await bodies.read(request, Given))
    response = answer(request, _shown(made) | {"token": text}, kind="application/json", status=201)
    response.headers["Cache-Control"] = "no-store"
    return response


async def create_as(request: web.Request, asker: Asker, given: Given) -> tuple[ApiToken, str]:
    """Make a token of somebody; returns it with its text, which nobody can ever read again."""
    auth = request.app[AUTH]
    if len(auth.tokens.of(asker.person)) >= MOST:
        raise Problem(409, "too-many", f"You have {MOST} tokens already; take one back first.")
    with bodies.kafka():
        made, text = await auth.tokens.create(
            asker.person, label=given.label, scopes=given.scopes, days=given.days, by=auth.mode
        )
    await request.app[REMEMBERED].caught_up()
    return made, text


async def remove(request: web.Request) -> web.Response:
    """Take one of the asker's tokens back: it serves nobody from the moment of the answer."""
    asked.only(request.query)
    await revoke(request, in_person(request).person, request.match_info["id"])
    return web.Response(status=204)


async def every(request: web.Request) -> web.Response:
    """Answer with all tokens there are."""
    asked.only(request.query, "person")
    administrator(request[ASKER])
    return _listed(request, request.app[AUTH].tokens.of(asked.value(request.query, "person")))


async def remove_any(request: web.Request) -> web.Response:
    """Take anybody's token back."""
    asked.only(request.query)
    administrator(request[ASKER])
    await revoke(request, "", request.match_info["id"])
    return web.Response(status=204)


def in_person(request: web.Request) -> Asker:
    """Return the asker, who must be a person and no token: one that leaks must not make others."""
    asker = somebody(request)
    if asker.key.startswith("token/"):
        raise Problem(403, "not-allowed", "Tokens are made and taken back by people, not by tokens.")
    return asker


async def revoke(request: web.Request, person: str, id_: str) -> None:
    """Take a token of a person back, of anybody where none is named; raises Problem where there is none."""
    tokens = request.app[AUTH].tokens
    found = tokens.get(id_)
    if found is None or person not in ("", found.person):
        raise not_found()
    with bodies.kafka():
        await tokens.revoke(found)
    await request.app[REMEMBERED].caught_up()


def _listed(request: web.Request, found: list[ApiToken]) -> web.Response:
    here = paging.address(request, request.query.items())
    items = [_shown(one) for one in found]
    return answer(request, {"@context": CONTEXT, **paging.collection(here, items, len(items))})


def _shown(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "person": token.person,
        "label": token.label,
        "scopes": list(token.scopes),
        "created": rfc3339(token.created),
        "expires": rfc3339(token.expires),
    }
