"""Sessions as cookies: who logs in stays logged in, and what has ended is forgotten."""

import pytest
from aiohttp import web

from services.gateway import api_tokens, sessions
from services.gateway.claims import Identity
from services.gateway.sessions import Session
from tests.fixtures.stack import eventually
from tests.unit.gateway.test_api_tokens import OIDC, made
from tests.unit.gateway.world import World, world

BROWSERS_TAKE = 4_096
"""Bytes of a cookie with its name and attributes (RFC 6265, section 6.1)."""


async def begun(w: World, who: Identity) -> str:
    """Begin a session; return its cookie."""
    response = web.Response()
    await w.parts.auth.sessions.begin(response, who)
    cookie = response.cookies[w.parts.auth.sessions.cookie]
    assert len(cookie.OutputString()) <= BROWSERS_TAKE
    return str(cookie.value)


@pytest.mark.parametrize(
    "groups",
    [
        (),
        ("eng", "ops"),
        tuple(f"g{n:03}" for n in range(500)),
        tuple("\N{CYRILLIC SMALL LETTER ZHE}" * 20 + str(n) for n in range(90)),
    ],
    ids=["none", "two", "many", "in another script"],
)
async def test_who_logs_in_is_who_they_are_whatever_their_groups(groups: tuple[str, ...]) -> None:
    async with world(**OIDC) as w:
        cookie = await begun(w, Identity(person="ann", groups=groups))
        answer = await w.client.get("/v1/me", cookies={w.parts.auth.sessions.cookie: cookie})
        assert (answer.status, w.parts.auth.sessions.groups_of("ann")) == (200, groups)


async def test_what_has_ended_is_taken_out_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sessions, api_tokens):
        monkeypatch.setattr(module, "_SWEEP", 0.01)
    async with world(**OIDC) as w:
        auth = w.parts.auth
        await made(w, days=0.1 / 86_400)
        for id_, ends in (("old", 1.0), ("new", 9e9)):
            await auth.sessions.end(web.Response(), Session(id=id_, person="ann", groups=(), ends=ends))
        await eventually(lambda: list(auth.sessions._ended) == ["new"], what="the old one is forgotten", pause=0.01)
        await eventually(lambda: not auth.tokens._known, what="the token is forgotten", pause=0.01)
        assert auth.sessions.ended("new")
