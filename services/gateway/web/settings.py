"""The page of one's settings: the dial, opting out, what is muted, and API tokens."""

from datetime import datetime
from typing import Any

from aiohttp import web

from services.common.recommendation import MIDDLE
from services.gateway import filters as asked
from services.gateway import paging, preferences
from services.gateway.api_tokens import ApiToken
from services.gateway.auth import Asker
from services.gateway.feedback import Feedback
from services.gateway.handlers import digest, feedback, tokens
from services.gateway.handlers.me import somebody
from services.gateway.handlers.preferences import Settings
from services.gateway.keys import AUTH, DIRECTORY, REACTIONS
from services.gateway.problems import Problem
from services.gateway.web import forms, subjects
from services.gateway.web.frame import show

OFTEN = (("never", "Never"), ("day", "Every day"), ("week", "Every week"))
"""How often a digest may come, as the page offers it."""
DAYS = ((7, "A week"), (30, "30 days"), (90, "90 days"), (366, "A year"))
"""How long a token may serve, as the page offers it."""


async def page(request: web.Request) -> web.StreamResponse:
    """Show what one has set."""
    asked.only(request.query)
    return await _show(request, somebody(request))


async def _show(request: web.Request, asker: Asker, **more: Any) -> web.Response:
    auth = request.app[AUTH]
    return await show(
        request,
        "settings.html",
        "settings",
        mine=preferences.of(request, asker.person),
        muted=await subjects.named(request, request.app[REACTIONS].subjects(asker.person, "mute")),
        accounts=request.app[DIRECTORY].accounts_of(asker.person),
        person=asker.person,
        tokens=[_shown(one) for one in auth.tokens.of(asker.person)],
        by_token=asker.key.startswith("token/"),
        digest=digest.shown(request, asker.person),
        often=OFTEN,
        days=DAYS,
        origin=paging.origin(request),
        **{"made": None, "secret": "", **more},
    )


def _shown(token: ApiToken) -> dict[str, str]:
    return {
        "id": token.id,
        "label": token.label,
        "scopes": ", ".join(token.scopes),
        "created": _day(token.created),
        "expires": _day(token.expires),
    }


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


async def put(request: web.Request) -> web.StreamResponse:
    """Store the dial, and whether one wants recommendations."""
    asker, sent = somebody(request), await forms.fields(request)
    surprise = asked.share(forms.query(sent), "surprise", default=MIDDLE)
    wanted = forms.checked(Settings, {"surprise": surprise, "recommendations": sent.get("recommendations") == "yes"})
    await preferences.put(request, asker.person, preferences.Preferences(**wanted.model_dump()))
    return forms.went(request, "/settings", "settings")


async def unmute(request: web.Request) -> web.StreamResponse:
    """Mute something no more."""
    asker, sent = somebody(request), await forms.fields(request)
    subject = sent.get("subject", "")
    if subject not in request.app[REACTIONS].subjects(asker.person, "mute"):
        raise Problem(404, "not-found", "Nothing of this id is muted.")
    await feedback.store(request, [Feedback(person=asker.person, subject=subject, kind="mute", undone=True)])
    return forms.went(request, "/settings#muted", "unmuted")


async def choose_digest(request: web.Request) -> web.StreamResponse:
    """Store how often the digest comes, and in demo mode where to."""
    asker, sent = somebody(request), await forms.fields(request)
    given = {"every": sent.get("every", ""), "address": sent.get("address", "").strip()}
    await digest.choose_as(request, asker.person, forms.checked(digest.Choice, given))
    return forms.went(request, "/settings#digest", "settings")


async def make_token(request: web.Request) -> web.StreamResponse:
    """Make an API token, and show it this once."""
    asker, sent = tokens.in_person(request), await forms.fields(request)
    scopes = [scope for scope in ("read", "write") if sent.get(scope) == "yes"]
    days = float(asked.number(forms.query(sent), "days", default=90, least=1, most=366))
    given = forms.checked(tokens.Given, {"label": sent.get("label", "").strip(), "scopes": scopes, "days": days})
    made, text = await tokens.create_as(request, asker, given)
    response = await _show(request, asker, made=_shown(made), secret=text)
    response.headers["Cache-Control"] = "no-store"
    return response


async def revoke_token(request: web.Request) -> web.StreamResponse:
    """Take an API token back."""
    asker, sent = tokens.in_person(request), await forms.fields(request)
    await tokens.revoke(request, asker.person, sent.get("id", ""))
    return forms.went(request, "/settings#tokens", "revoked")
