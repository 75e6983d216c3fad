"""``/v1/me/rules``: rules on one's own stream, tried on the last 30 days before they are switched on."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.items import activity_of
from services.gateway.keys import DESK, REMEMBERED
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer
from services.gateway.rules import language, own
from services.gateway.rules.language import NoRule, Rule

_LONGEST_NAME = 64
_SAMPLE = 20
_Text = Annotated[str, Field(min_length=1, max_length=language.LONGEST)]


class Given(bodies.Body):
    """A rule: ``if tag incident and not from bots then notify``; docs/rules.md has the language."""

    rule: _Text
    on: bool = False


class Try(bodies.Body):
    """A rule to be tried."""

    rule: _Text


async def every(request: web.Request) -> web.Response:
    """Answer with all rules of the asker."""
    asked.only(request.query)
    items = listed(request, somebody(request).person)
    return answer(request, paging.collection(paging.address(request, ()), items, len(items)))


def listed(request: web.Request, person: str) -> list[dict[str, Any]]:
    """Return all rules of a person."""
    kept = request.app[REMEMBERED].of(person, own.PREFIX)
    return [{"id": name, "type": "Rule", "rule": one["rule"], "on": one["on"]} for name, one in kept.items()]


async def put(request: web.Request) -> web.Response:
    """Keep a rule; answers with what it would have done, also where it is switched on."""
    asked.only(request.query)
    somebody(request)
    return answer(request, await keep(request, request.match_info["name"], await bodies.read(request, Given)))


async def keep(request: web.Request, name: str, given: Given) -> dict[str, Any]:
    """Keep a rule of the asker; returns what it would have done."""
    person, name = somebody(request).person, _name(name)
    rule = parsed(request, given.rule)
    known = request.app[REMEMBERED].of(person, own.PREFIX)
    if name not in known and len(known) >= own.MOST:
        raise Problem(409, "too-much", f"You have {own.MOST} rules already; remove one first.")
    found = await tried(request, rule)
    await bodies.remember(request, person, own.PREFIX + name, {"rule": given.rule, "on": given.on})
    return found | {"id": name, "on": given.on}


async def remove(request: web.Request) -> web.Response:
    """Remove a rule."""
    asked.only(request.query)
    await drop(request, request.match_info["name"])
    return web.Response(status=204)


async def drop(request: web.Request, name: str) -> None:
    """Remove a rule of the asker; raises Problem where there is none."""
    person, name = somebody(request).person, _name(name)
    if request.app[REMEMBERED].get(person, own.PREFIX + name) is None:
        raise not_found()
    await bodies.remember(request, person, own.PREFIX + name, None)


async def dry_run(request: web.Request) -> web.Response:
    """Answer with what a rule would have held for in the last 30 days; nothing is kept."""
    asked.only(request.query)
    somebody(request)
    given = await bodies.read(request, Try)
    return answer(request, await tried(request, parsed(request, given.rule)))


async def tried(request: web.Request, rule: Rule) -> dict[str, Any]:
    """Return what a rule would have held for in the last 30 days."""
    page = await own.tried(request.app[DESK], somebody(request), rule, size=_SAMPLE)
    items = [activity_of(hit.document) for hit in page.hits]
    actions = [f"{one.kind} {one.label}".strip() for one in rule.actions]
    return {"type": "Rule", "actions": actions, "days": own.DAYS, "totalItems": page.total, "orderedItems": items}


def parsed(request: web.Request, text: str) -> Rule:
    """Return a rule of the asker; raises Problem that says where it is none."""
    try:
        return language.parse(text, somebody(request).person)
    except NoRule as error:
        raise Problem(400, "bad-rule", f"rule: {error}.", column=error.column) from None


def _name(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise asked.wrong("name", f"1 to {_LONGEST_NAME} printable characters are expected")
    return name
