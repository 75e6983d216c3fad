"""The page of one's rules: written, tried on the last 30 days, and only then switched on."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from services.gateway import filters as asked
from services.gateway.handlers import rules
from services.gateway.handlers.me import somebody
from services.gateway.problems import Problem
from services.gateway.rules import language, own
from services.gateway.web import cards, forms
from services.gateway.web.frame import show

_NAMELESS = "my rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Why a text is no rule, and the text: as far as it is understood, and from there on."""

    why: str
    good: str
    bad: str

    @classmethod
    def of(cls, problem: Problem, text: str) -> "Mistake":
        """Return what a problem says of a text; its columns count from 1."""
        at = max(0, int(problem.more.get("column", 1)) - 1)
        return cls(why=problem.detail, good=text[:at], bad=text[at:])


async def page(request: web.Request) -> web.StreamResponse:
    """Show one's rules; with a rule in the address also what it would have held for. Nothing is kept by that."""
    asked.only(request.query, "name", "rule")
    name, text = asked.one(request.query, "name"), asked.one(request.query, "rule")
    found: dict[str, Any] | None = None
    mistake: Mistake | None = None
    if text:
        try:
            found = await rules.tried(request, rules.parsed(request, text))
        except Problem as problem:
            if problem.kind != "bad-rule":
                raise
            mistake = Mistake.of(problem, text)
    return await _show(request, name=name, text=text, found=found, mistake=mistake)


async def _show(request: web.Request, **more: Any) -> web.Response:
    found = more.get("found")
    listed = rules.listed(request, somebody(request).person)
    return await show(
        request,
        "rules.html",
        "rules",
        rules=listed,
        **{"name": "", "text": "", "mistake": None, "secret": "", **more, "found": found},
        cards=cards.cards_of(request, found.get("earlier", found)["orderedItems"]) if found else [],
        actions=language.ACTIONS,
        conditions=language.CONDITIONS,
        most=own.MOST,
        longest=language.LONGEST,
        otherwise=_free([one["id"] for one in listed]),
    )


def _free(taken: list[str]) -> str:
    """Return a name that no rule has yet."""
    names = (_NAMELESS, *(f"{_NAMELESS} {n}" for n in range(2, own.MOST + 2)))
    return next(one for one in names if one not in taken)


async def keep(request: web.Request) -> web.StreamResponse:
    """Keep a rule, switched on or off. A secret that comes with it is shown this once."""
    somebody(request)
    sent = await forms.fields(request)
    on = sent.get("on") == "yes"
    given = forms.checked(rules.Given, {"rule": sent.get("rule", ""), "on": on})
    kept = await rules.keep(request, sent.get("name", "").strip(), given)
    if "secret" in kept:
        return await _secretly(request, kept["id"], kept["secret"])
    return forms.went(request, "/rules", "rule-on" if on else "rule-off")


async def remove(request: web.Request) -> web.StreamResponse:
    """Remove a rule."""
    sent = await forms.fields(request)
    await rules.drop(request, sent.get("name", ""))
    return forms.went(request, "/rules", "rule-removed")


async def new_secret(request: web.Request) -> web.StreamResponse:
    """Give the webhook of a rule another secret, and show it this once."""
    somebody(request)
    name = (await forms.fields(request)).get("name", "")
    return await _secretly(request, name, await rules.renewed(request, name))


async def _secretly(request: web.Request, name: str, secret: str) -> web.Response:
    response = await _show(request, secret=secret, signed=name)
    response.headers["Cache-Control"] = "no-store"
    return response
