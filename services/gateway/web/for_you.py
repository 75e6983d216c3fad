"""The For-you page: cards with their reasons, the dial, and what one can say about each, with scripts and without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from multidict import MultiDict
from pydantic import ValidationError

from services.common.clock import now
from services.common.recommendation import MIDDLE
from services.gateway import filters as asked
from services.gateway import preferences
from services.gateway.feedback import KINDS, Feedback
from services.gateway.foryou import Suggested
from services.gateway.handlers import bodies, feedback
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import name_of
from services.gateway.keys import ASKER, FOR_YOU, NAMES, REACTIONS
from services.gateway.problems import Problem
from services.gateway.web.cards import AWAY, NOT_YET, SHOWN, card_of, stream
from services.gateway.web.frame import show
from services.gateway.web.present import Card
from services.gateway.web.reacting import SURFACE, shown

_TOGGLES = (("useful", "Useful"), ("new-to-me", "New to me"), ("more", "More like this"))
"""Acts that stay visible on the card and can be taken back there."""
_HIDING = (("not-useful", "Not useful"), ("less", "Less like this"))
_UNDO = "undo:"
SAID: Mapping[str, str] = {
    "useful": "Noted as useful.",
    "new-to-me": "Noted: you did not know this.",
    "more": "You will see more from there.",
    "not-useful": "Hidden, since it is of no use to you.",
    "less": "Hidden; you will see less from there.",
    "mute": "Muted. Nothing of it will be recommended to you.",
    "follow": "You follow it now.",
}
"""What the page answers to an act; the script says the same."""
TERMS: Mapping[str, str] = {"bias": "how often anything is of use", "your feedback": "what you said of this place"}
"""Names of terms that need other words than their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One item of the list. ``toggles`` are (kind, label, whether on); ``mutes`` (id, label) of what can be muted."""

    card: Card
    object: str
    rank: int
    reason: str
    terms: Sequence[tuple[str, int, bool]]
    toggles: Sequence[tuple[str, str, bool]]
    mutes: Sequence[tuple[str, str]]


async def for_you(request: web.Request) -> web.StreamResponse:
    """Show what is recommended, and why."""
    asked.only(request.query, "surprise", "done", "about")
    asker = request[ASKER]
    mine = preferences.of(request, asker.person)
    dial = asked.share(request.query, "surprise", default=mine.surprise)
    found: Sequence[Suggested] = ()
    problem = ""
    try:
        found = await request.app[FOR_YOU].suggested(asker, dial=dial, size=SHOWN)
    except AWAY:
        problem = NOT_YET
    await shown(request, found, dial)
    done = asked.one(request.query, "done")
    return await show(
        request,
        "for_you.html",
        "for-you",
        items=[_shown(request, one, rank, dial) for rank, one in enumerate(found, start=1)],
        surprise=dial,
        problem=problem,
        said=SAID.get(done, ""),
        done=done,
        about=asked.one(request.query, "about"),
        hiding=_HIDING,
        words=dict(SAID),
        stream=stream(request, [("feed", SURFACE)]),
        recommendations=mine.recommendations,
        follows=len(request.app[REACTIONS].follows(asker.person)),
    )


def _shown(request: web.Request, one: Suggested, rank: int, dial: float) -> Shown:
    r = one.recommendation
    card = card_of(request, one.activity, now())
    stand = request.app[REACTIONS].of(r.person, r.object)
    place = request.app[NAMES].get(r.container, request[ASKER]) or (card.place.name if card.place else "")
    author = name_of(request, r.author) if r.author else ""
    mutes = ((r.container, place), (r.author, author))
    link = urlencode({"from": SURFACE, "rank": rank, "surprise": dial})
    return Shown(
        card=replace(card, href=f"/objects/{quote(r.object, safe='')}?{link}"),
        object=r.object,
        rank=rank,
        reason=one.reason,
        terms=_terms(r.terms),
        toggles=[(kind, label, kind in stand) for kind, label in _TOGGLES],
        mutes=[(id_, name) for id_, name in mutes if id_ and name],
    )


def _terms(terms: Mapping[str, float]) -> list[tuple[str, int, bool]]:
    """Return what speaks for and against it: (words, share of the whole in percent, whether for), largest first."""
    named = {name: value for name, value in terms.items() if value and name != "bias"}
    whole = sum(map(abs, named.values())) or 1.0
    ordered = sorted(named.items(), key=lambda term: -abs(term[1]))
    shares = [(TERMS.get(name, name.replace("_", " ")), round(100 * abs(v) / whole), v > 0) for name, v in ordered]
    return [one for one in shares if one[1]]


async def react(request: web.Request) -> web.StreamResponse:
    """Take an act from the page's own form, and show the list again."""
    asked.only(request.query)
    asker = somebody(request)
    fields = await bodies.fields(request)
    given = _act(fields)
    dial = asked.share(MultiDict(fields), "surprise", default=MIDDLE)
    await feedback.store(
        request,
        [
            Feedback(
                person=asker.person,
                subject=given.subject,
                kind=given.kind,
                undone=given.undone,
                surface=SURFACE,
                rank=given.rank,
                dial=dial,
            )
        ],
    )
    answer = {} if given.undone else {"done": given.kind, "about": given.subject}
    query = urlencode({"surprise": dial, **answer})
    return web.Response(status=303, headers={"Location": f"/for-you?{query}"})


def _act(fields: Mapping[str, Any]) -> feedback.Given:
    """Return the act in a form's fields; raises Problem for one that the page has no button for."""
    kind = fields.get("kind", "")
    undone = kind.startswith(_UNDO)
    try:
        return feedback.Given(
            subject=fields.get("subject", ""),
            kind=kind.removeprefix(_UNDO),
            undone=undone,
            rank=int(fields.get("rank") or 0),
        )
    except (ValidationError, ValueError):
        raise Problem(400, "bad-body", f"subject and kind are expected, kind one of {', '.join(KINDS)}.") from None
