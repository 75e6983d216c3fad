"""What forms of the page send, and where one is after sending one: the next page says once what was done.

A cookie of a few seconds names the sentence, so that addresses stay such as can be shared.
"""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict, MultiMapping
from pydantic import BaseModel, ValidationError

from services.gateway import filters as asked
from services.gateway.auth import COOKIE, PARAMETER
from services.gateway.handlers import bodies
from services.gateway.handlers.login import local
from services.gateway.keys import ASKER, AUTH
from services.gateway.problems import Problem

DONE = "watercooler_done"
_SECONDS = 20
SAID: Mapping[str, str] = {
    "followed": "You follow it now; it appears in Following.",
    "left": "You follow it no more.",
    "saved": "The search is kept, and you follow it.",
    "unsaved": "The search is kept no more.",
    "read": "Marked as read.",
    "posted": "Said. It appears here within a second or two.",
    "edited": "Corrected.",
    "deleted": "Taken back. Its text is gone.",
    "made": "The group is there, and you are in it.",
    "joined": "You are in the group now.",
    "gone": "You have left the group.",
    "let-in": "They are in the group now.",
    "rule-on": "The rule is switched on.",
    "rule-off": "The rule is kept, and switched off.",
    "rule-removed": "The rule is removed.",
    "settings": "Your settings are stored.",
    "unmuted": "Muted no more.",
    "revoked": "The token serves nobody any more.",
}
"""What a page says after a form; a cookie holds only the word before it."""
_Form = TypeVar("_Form", bound=BaseModel)


async def fields(request: web.Request) -> Mapping[str, str]:
    """Return the texts of a form. Browsers send line ends as in mail; ours are as everywhere."""
    asked.only(request.query)
    sent = await bodies.fields(request)
    return {name: value.replace("\r\n", "\n") for name, value in sent.items()}


def query(sent: Mapping[str, str]) -> MultiMapping[str]:
    """Return a form's fields as the functions take them that read parameters."""
    return MultiDict(sent)


def checked(form: type[_Form], values: Mapping[str, object]) -> _Form:
    """Return the values of a form as checked ones; raises Problem that names the first wrong field."""
    try:
        return form.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "form"
        raise Problem(400, "bad-body", f"{where}: {first['msg']}.") from None


def back(sent: Mapping[str, str], otherwise: str) -> str:
    """Return the address of ours that a form was sent from."""
    return local(sent["back"]) if sent.get("back") else otherwise


def went(request: web.Request, where: str, done: str) -> web.Response:
    """Return the answer to a form: off to an address of ours, which says what was done."""
    response = web.Response(status=303, headers={"Location": as_shown(request, where), "Cache-Control": "no-store"})
    secure = request.app[AUTH].sessions.secure
    response.set_cookie(DONE, done, max_age=_SECONDS, httponly=True, secure=secure, samesite="Strict", path="/")
    return response


def said(request: web.Request) -> str:
    """Return what was done just now, empty where nothing was."""
    return SAID.get(request.cookies.get(DONE, ""), "")


def acting(request: web.Request) -> list[tuple[str, str]]:
    """Return the parameter that says as whom the page is viewed, where nothing but the address says so (demo mode)."""
    person = request[ASKER].person
    by_address = request.app[AUTH].mode == "demo" and request.cookies.get(COOKIE) != person
    return [(PARAMETER, person)] if by_address else []


def as_shown(request: web.Request, where: str) -> str:
    """Return an address of ours, to be viewed as the same person."""
    who = acting(request)
    if not who or f"{PARAMETER}=" in where:
        return where
    path, hash_, fragment = where.partition("#")
    return f"{path}{'&' if '?' in path else '?'}{urlencode(who)}{hash_}{fragment}"
