"""``/v1/me/rules``: rules on one's own stream, tried on the last 30 days before they are switched on."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from services.common.clock import now
from services.common.search import Page, Query
from services.common.search.conditions import Every, Published
from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.deliveries.schedule import windows
from services.gateway.deliveries.secrets import new_salt
from services.gateway.deliveries.targets import NoTarget, target
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.items import activity_of
from services.gateway.keys import DESK, OFFICE, REMEMBERED
from services.gateway.problems import Problem, not_found
from services.gateway.remembered import Value
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
    return [_shown(request, person, name, one) for name, one in kept.items()]


def _shown(request: web.Request, person: str, name: str, kept: Value) -> dict[str, Any]:
    rule = own.read(kept, person)
    item = {"id": name, "type": "Rule", "rule": kept["rule"], "on": kept["on"], "actions": _actions(rule)}
    if "stopped" in kept:
        item["stopped"] = kept["stopped"]
    if rule and rule.webhook:
        item["waiting"] = request.app[OFFICE].owed.count(person, name)
    return item


def _actions(rule: Rule | None) -> list[str]:
    return [f"{one.kind} {one.label}".strip() for one in rule.actions] if rule else []


async def put(request: web.Request) -> web.Response:
    """Keep a rule; answers with what it would have done, also where it is switched on."""
    asked.only(request.query)
    somebody(request)
    return _secretly(request, await keep(request, request.match_info["name"], await bodies.read(request, Given)))


async def keep(request: web.Request, name: str, given: Given) -> dict[str, Any]:
    """Keep a rule of the asker; returns what it would have done, and once the ``secret`` of a webhook."""
    person, name = somebody(request).person, _name(name)
    rule = parsed(request, given.rule)
    known = request.app[REMEMBERED].of(person, own.PREFIX)
    if name not in known and len(known) >= own.MOST:
        raise Problem(409, "too-much", f"You have {own.MOST} rules already; remove one first.")
    found = await tried(request, rule)
    kept: Value = {"rule": given.rule, "on": given.on}
    told: Value = {"id": name, "on": given.on}
    if rule.webhook:
        before = known.get(name, {})
        kept |= _sends(before, on=given.on)
        if "salt" not in before:
            told["secret"] = request.app[OFFICE].secret(person, name, kept["salt"])
    await bodies.remember(request, person, own.PREFIX + name, kept)
    return found | told


def _sends(before: Value, *, on: bool) -> Value:
    """Return what is kept of a webhook: the salt of its secret, and from when on it sends."""
    goes_on = on and before.get("on") and "since" in before
    return {"salt": before.get("salt") or new_salt(), "since": before["since"] if goes_on else now().isoformat()}


def _secretly(request: web.Request, what: dict[str, Any]) -> web.Response:
    response = answer(request, what)
    response.headers["Cache-Control"] = "no-store"
    return response


async def remove(request: web.Request) -> web.Response:
    """Remove a rule."""
    asked.only(request.query)
    await drop(request, request.match_info["name"])
    return web.Response(status=204)


async def drop(request: web.Request, name: str) -> None:
    """Remove a rule of the asker; raises Problem where there is none."""
    person, name = somebody(request).person, _name(name)
    _kept(request, name)
    await bodies.remember(request, person, own.PREFIX + name, None)


async def new_secret(request: web.Request) -> web.Response:
    """Answer with a new secret of a rule's webhook; the old one signs nothing from now on."""
    asked.only(request.query)
    name = request.match_info["name"]
    return _secretly(request, {"id": name, "secret": await renewed(request, name)})


async def renewed(request: web.Request, name: str) -> str:
    """Give the webhook of a rule of the asker a new secret; returns it."""
    person, name = somebody(request).person, _name(name)
    kept = _kept(request, name)
    if "salt" not in kept:
        raise not_found()
    salt = new_salt()
    await bodies.remember(request, person, own.PREFIX + name, kept | {"salt": salt})
    return request.app[OFFICE].secret(person, name, salt)


def _kept(request: web.Request, name: str) -> Value:
    found = request.app[REMEMBERED].get(somebody(request).person, own.PREFIX + name)
    if found is None:
        raise not_found()
    return found


async def dry_run(request: web.Request) -> web.Response:
    """Answer with what a rule would have held for in the last 30 days; nothing is kept."""
    asked.only(request.query)
    somebody(request)
    given = await bodies.read(request, Try)
    return answer(request, await tried(request, parsed(request, given.rule)))


async def tried(request: web.Request, rule: Rule) -> dict[str, Any]:
    """Return what a rule would have held for in the last 30 days; where that is nothing, ``earlier``: before them."""
    desk, asker = request.app[DESK], somebody(request)
    page = await own.tried(desk, asker, rule, size=_SAMPLE, since=now() - timedelta(days=own.DAYS))
    counted = {"notify": "notifications", "webhook": "webhooks"}
    would = {name: page.total for kind, name in counted.items() if rule.does(kind)}
    if rule.does("mail"):
        would["mails"] = await _mails(request, rule)
    found = {"type": "Rule", "actions": _actions(rule), "days": own.DAYS, "would": would, **_listed(page)}
    if not page.total and (before := await own.tried(desk, asker, rule, size=_SAMPLE, since=None)).total:
        found["earlier"] = _listed(before)
    return found


def _listed(page: Page) -> dict[str, Any]:
    return {"totalItems": page.total, "orderedItems": [activity_of(hit.document) for hit in page.hits]}


async def _mails(request: web.Request, rule: Rule) -> int:
    """Return how many digests it would have been alone."""
    asker, desk, schedule = somebody(request), request.app[DESK], request.app[OFFICE].postman.schedule
    every = schedule.every(asker.person)
    times = windows("day" if every == "never" else every, schedule.hour, now(), own.DAYS)
    asked_of = (Every((rule.condition, Published(one.since, one.until))) for one in times)
    queries = (Query(kind="activities", principals=(), where=where, size=1) for where in asked_of)
    return sum(1 for page in await asyncio.gather(*(desk.find(asker, one) for one in queries)) if page.total)


def parsed(request: web.Request, text: str) -> Rule:
    """Return a rule of the asker; raises Problem that says where it is none."""
    try:
        rule = language.parse(text, somebody(request).person)
        if rule.webhook:
            target(rule.webhook, loopback=request.app[OFFICE].loopback)
    except NoRule as error:
        raise Problem(400, "bad-rule", f"rule: {error}.", column=error.column) from None
    except NoTarget as error:
        raise Problem(400, "bad-rule", f"rule: {error}.", column=text.find(rule.webhook) + 1) from None
    return rule


def _name(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise asked.wrong("name", f"1 to {_LONGEST_NAME} printable characters are expected")
    return name
