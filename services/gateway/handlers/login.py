"""``/login``: off to the identity provider and back (code with PKCE); ``/logout``."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.common import logs
from services.common.errors import Retry
from services.gateway import filters as asked
from services.gateway.auth import Auth, away, same_origin
from services.gateway.handlers import bodies
from services.gateway.keys import AUTH, OFFICE, SEALER
from services.gateway.oidc import Provider, Refused
from services.gateway.problems import Problem
from services.gateway.web.rendering import render

CALLBACK = "/login/callback"
_COOKIE = "watercooler_login"
_PURPOSE = "login"
_SECONDS = 600
_PATH = "/login"
_log = logs.get(__name__)


async def login(request: web.Request) -> web.StreamResponse:
    """Send the browser to the identity provider, with what it must bring back in a sealed cookie."""
    auth, provider = _provider(request)
    state, nonce, verifier = token_urlsafe(24), token_urlsafe(24), token_urlsafe(48)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    try:
        where = await provider.address(
            redirect=auth.public + CALLBACK, scopes=auth.scopes, state=state, nonce=nonce, challenge=challenge
        )
    except Retry as error:
        raise away(error) from error
    response = _go(where)
    back = local(asked.one(request.query, "next"))
    held = request.app[SEALER].seal(
        _PURPOSE, {"state": state, "nonce": nonce, "verifier": verifier, "next": back}, _SECONDS
    )
    auth.sessions.set_cookie(response, _COOKIE, held, _SECONDS, _PATH)
    return response


async def callback(request: web.Request) -> web.StreamResponse:
    """Take the code that the browser brings back, and begin a session."""
    auth, provider = _provider(request)
    held = request.app[SEALER].opened(_PURPOSE, request.cookies.get(_COOKIE, ""))
    if held is None or not hmac.compare_digest(_one(request, "state").encode(), held["state"].encode()):
        raise Problem(400, "login", "This login was not begun in this browser, or too long ago; go to /login again.")
    try:
        claims = await _claims(request, provider, auth, held)
        response = _go(held["next"])
        who = auth.reader(claims)
        with bodies.kafka():
            await request.app[OFFICE].postman.mailboxes.learn(who.person, claims)
            await auth.sessions.begin(response, who)
    except Refused as error:
        _log.warning("a login was refused", reason=str(error))
        raise Problem(403, "login", f"The identity provider's answer is not good: {error}.") from None
    except Retry as error:
        raise away(error) from error
    auth.sessions.clear_cookie(response, _COOKIE, _PATH)
    return response


async def _claims(request: web.Request, provider: Provider, auth: Auth, held: dict[str, Any]) -> Any:
    issuer = _one(request, "iss")
    if (issuer or (await provider.metadata()).says_issuer) and issuer != provider.issuer:
        raise Refused("it comes from another identity provider")
    if not _one(request, "code"):
        raise Refused(f"it says {_one(request, 'error')[:60] or 'nothing'}")
    redirect = auth.public + CALLBACK
    return await provider.logged_in(
        code=_one(request, "code"), verifier=held["verifier"], redirect=redirect, nonce=held["nonce"]
    )


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session, also where its cookie was copied to; then say so."""
    auth, provider = _provider(request)
    if not same_origin(request, auth.public):
        raise Problem(403, "not-here", "The request comes from another site than ours.")
    there = ""
    try:
        there = (await provider.metadata()).end_session
    except Retry as error:
        _log.warning("where to log out of the identity provider is not known", reason=str(error))
    if there:
        there += f"?{urlencode({'client_id': provider.client})}"
    html = render("goodbye.html", {"there": there})
    response = web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})
    with bodies.kafka():
        await auth.sessions.end(response, auth.sessions.of(request))
    return response


def local(path: str) -> str:
    """Return an address of ours to go to after logging in; / for any that could lead elsewhere."""
    good = path.startswith("/") and path.isprintable() and not path.startswith(("//", "/\\")) and len(path) < 2_000
    return path if good else "/"


def _provider(request: web.Request) -> tuple[Auth, Provider]:
    auth = request.app[AUTH]
    if auth.provider is None:
        raise Problem(404, "not-found", "Nobody logs in here: auth is not oidc.")
    return auth, auth.provider


def _one(request: web.Request, name: str) -> str:
    return asked.one(request.query, name)


def _go(where: str) -> web.Response:
    return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})
