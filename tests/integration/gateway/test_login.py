"""Logging in at a real identity provider, with a browser's cookies; and what must not work."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer

from tests.fixtures.oidc import AUDIENCE, IdentityProvider
from tests.unit.gateway.world import HALL, ROOM, said, world

pytestmark = pytest.mark.integration


def settings(identity: IdentityProvider, **changed: Any) -> dict[str, Any]:
    return {
        "auth": "oidc",
        "public_url": identity.public,
        "oidc_issuer": identity.issuer,
        "oidc_client_id": "page",
        "oidc_scopes": "openid profile groups",
        "oidc_audience": AUDIENCE,
        "session_key": "for tests only",
        "port": identity.page_port,
        **changed,
    }


@asynccontextmanager
async def browser() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as one:
        yield one


async def went_in(identity: IdentityProvider, one: ClientSession, name: str = "ann", go: str = "/login") -> str:
    """Log in as somebody; return where the page sends the browser then."""
    async with one.get(identity.public + go, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        away = answer.headers["Location"]
    back = await identity.log_in(one, away, name)
    async with one.get(back, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"]


async def asked(identity: IdentityProvider, one: ClientSession, path: str = "/v1/me", **more: Any) -> ClientResponse:
    answer = await one.get(identity.public + path, allow_redirects=False, **more)
    await answer.read()
    return answer


async def test_who_logs_in_is_who_the_provider_says_with_their_groups(identity: IdentityProvider) -> None:
    async with world(**settings(identity, oidc_admin_groups="ops")) as w, browser() as one:
        await w.opened(ROOM, "group:eng")
        await w.happens(said(1, where=ROOM, text="for the group"))
        page = await asked(identity, one, "/?tag=x")
        assert page.headers["Location"] == "/login?next=/?tag%3Dx"
        assert await went_in(identity, one, "ann+ops", page.headers["Location"]) == "/?tag=x"
        me = await (await asked(identity, one)).json(content_type=None)
        assert (me["id"], me["roles"]) == ("ann+ops", ["admin", "reader"])
        assert "for the group" in await (await asked(identity, one, "/")).text()
        assert "View as" not in await (await asked(identity, one, "/")).text()
        assert (await asked(identity, one, "/v1/me?as=bob")).status == 400


async def test_pages_speak_and_stream_as_who_has_logged_in_and_forms_of_other_sites_are_refused(
    identity: IdentityProvider,
) -> None:
    async with world(**settings(identity)) as w, browser() as one:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await went_in(identity, one)
        for path in ("/", "/following", "/for-you", "/people", "/groups", "/rules", "/settings", "/objects/chat%3A1"):
            text = await (await asked(identity, one, path)).text()
            assert "as=" not in "".join(re.findall(r'(?:action|data-stream)="[^"]*"', text)), path
        for origin, status in ((identity.public, 303), ("https://evil.example", 403), ("null", 403)):
            sent, headers = {"content": "hello"}, {"Origin": origin}
            say = one.post(identity.public + "/say", data=sent, headers=headers, allow_redirects=False)
            async with say as answer:
                assert answer.status == status, origin


async def test_a_client_with_a_secret_logs_in_too(identity: IdentityProvider) -> None:
    more = {"oidc_client_id": "secret page", "oidc_client_secret": "a secret of + and %"}
    async with world(**settings(identity, **more)), browser() as one:
        await went_in(identity, one)
        assert (await asked(identity, one)).status == 200


async def test_who_is_in_no_group_of_readers_stays_outside(identity: IdentityProvider) -> None:
    async with world(**settings(identity, oidc_reader_groups="board, ops")), browser() as one:
        away = (await asked(identity, one, "/login")).headers["Location"]
        back = await identity.log_in(one, away, "bob")
        answer = await one.get(back, allow_redirects=False)
        assert (answer.status, (await answer.json(content_type=None))["type"]) == (403, "/docs#not-allowed")
        assert (await asked(identity, one)).status == 401


async def test_a_code_serves_once_and_only_in_the_browser_that_asked_for_it(identity: IdentityProvider) -> None:
    async with world(**settings(identity)), browser() as one, browser() as thief:
        away = (await asked(identity, one, "/login")).headers["Location"]
        held = {c.key: c.value for c in one.cookie_jar}["watercooler_login"]
        back = (await identity.log_in(one, away, "ann")).removeprefix(identity.public)
        stolen = await asked(identity, thief, back)
        assert (stolen.status, stolen.headers.get("Set-Cookie")) == (400, None)
        assert (await asked(identity, one, back)).status == 303
        assert (await asked(identity, one, back)).status == 400  # the cookie is gone
        again = await asked(identity, thief, back, cookies={"watercooler_login": held})
        assert (again.status, again.headers.get("Set-Cookie")) == (403, None)  # and the provider takes no code twice


@pytest.mark.parametrize("change", [("state=", "state=x"), ("iss=", "iss=x"), ("code=", "code=x"), ("code=", "no=")])
async def test_an_answer_that_was_changed_on_the_way_is_refused(
    identity: IdentityProvider, change: tuple[str, str]
) -> None:
    async with world(**settings(identity)), browser() as one:
        away = (await asked(identity, one, "/login")).headers["Location"]
        back = (await identity.log_in(one, away, "ann")).removeprefix(identity.public)
        answer = await asked(identity, one, back.replace(*change))
        assert answer.status in (400, 403)
        assert (await asked(identity, one)).status == 401


async def test_logging_out_ends_the_session_also_where_its_cookie_was_copied(identity: IdentityProvider) -> None:
    async with world(**settings(identity)) as w, browser() as one, browser() as thief:
        await went_in(identity, one)
        cookie = {c.key: c.value for c in one.cookie_jar if c.key == "watercooler"}
        assert (await asked(identity, thief, cookies=cookie)).status == 200
        async with one.get(f"{identity.public}/v1/stream") as stream:
            out = await one.post(f"{identity.public}/logout", headers={"Origin": identity.public})
            assert (out.status, "signed out" in await out.text()) == (200, True)
            async with asyncio.timeout(20):
                assert b'"reason":"revoked"' in await stream.content.read()
        assert (await asked(identity, one)).status == 401
        assert (await asked(identity, thief, cookies=cookie)).status == 401
        async with world(w.bus, w.search, **settings(identity, port=0)) as again:  # another process knows it as well
            there = await thief.get(again.client.make_url("/v1/me"), cookies=cookie)
            assert there.status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "OURS"}, 204),
    ],
)
async def test_another_site_cannot_act_with_the_cookie(
    identity: IdentityProvider, headers: dict[str, str], status: int
) -> None:
    headers = {name: value.replace("OURS", identity.public) for name, value in headers.items()}
    async with world(**settings(identity)), browser() as one:
        await went_in(identity, one)
        act = {"subject": "chat:1", "kind": "seen"}
        async with one.post(f"{identity.public}/v1/feedback", json=act, headers=headers) as answer:
            assert answer.status == status, await answer.text()


async def test_the_cookies_are_kept_from_scripts_and_other_sites(identity: IdentityProvider) -> None:
    async with world(**settings(identity)), browser() as one:
        away = (await asked(identity, one, "/login")).headers["Location"]
        back = await identity.log_in(one, away, "ann")
        async with one.get(back, allow_redirects=False) as answer:
            said = next(one for one in answer.headers.getall("Set-Cookie") if one.startswith("watercooler="))
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in said.split(";")}


async def test_a_stream_goes_on_for_a_person_and_search_works_with_the_cookie(identity: IdentityProvider) -> None:
    async with world(**settings(identity)) as w, browser() as one:
        await w.opened(HALL)
        await went_in(identity, one)
        async with one.get(f"{identity.public}/v1/stream", headers={"Accept": "application/x-ndjson"}) as stream:
            await stream.content.readline()
            await w.happens(said(1, text="hello"))
            lines = [await stream.content.readline() for _ in range(1)]
        assert b"hello" in b"".join(lines)
        assert isinstance(w.client.server, TestServer)
