"""Logging in at Keycloak, and bearer tokens of it, as an organisation that has one would set it up."""

from typing import Any

import pytest

from tests.fixtures.keycloak import AUDIENCE, Keycloak
from tests.unit.gateway.world import ROOM, World, said, world

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def settings(keycloak: Keycloak, **changed: Any) -> dict[str, Any]:
    return {
        "auth": "oidc",
        "public_url": keycloak.public,
        "oidc_issuer": keycloak.issuer,
        "oidc_client_id": "page",
        "oidc_scopes": "openid profile",
        "oidc_audience": AUDIENCE,
        "oidc_person_claim": "preferred_username",
        "oidc_reader_groups": "/eng",
        "oidc_admin_groups": "/ops",
        "session_key": "for tests only",
        "port": keycloak.page_port,
        **changed,
    }


async def status(w: World, token: str) -> int:
    async with w.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status


@pytest.mark.parametrize(("person", "roles"), [("ann", ["admin", "reader"]), ("bob", ["reader"])])
async def test_who_logs_in_has_the_groups_and_roles_of_the_realm(
    keycloak: Keycloak, person: str, roles: list[str]
) -> None:
    async with world(**settings(keycloak)) as w, keycloak.browser() as browser:
        await w.opened(ROOM, "group:ops")
        await w.happens(said(1, where=ROOM, text="for operators"))
        async with browser.get(f"{keycloak.public}/login", allow_redirects=False) as answer:
            away = answer.headers["Location"]
        assert "code_challenge_method=S256" in away
        back = await keycloak.log_in(browser, away, person)
        async with browser.get(back, allow_redirects=False) as answer:
            assert (answer.status, answer.headers.get("Location")) == (303, "/"), await answer.text()
        async with browser.get(f"{keycloak.public}/v1/me") as answer:
            me = await answer.json(content_type=None)
        assert (me["id"], me["roles"]) == (person, roles)
        async with browser.get(f"{keycloak.public}/v1/activities") as answer:
            assert (await answer.json(content_type=None))["totalItems"] == ("admin" in roles)
        async with browser.get(back, allow_redirects=False) as answer:
            assert answer.status == 400  # a code serves once


async def test_bearer_tokens_of_people_are_taken_and_those_for_others_are_not(keycloak: Keycloak) -> None:
    async with world(**settings(keycloak)) as w:
        token = await keycloak.token("bob")
        assert await status(w, token) == 200
        assert await status(w, token[:-4] + "AAAA") == 401
        assert await status(w, await keycloak.token()) == 403  # the program itself is in no group of readers
    async with world(**settings(keycloak, oidc_audience="another-api")) as w:
        assert await status(w, token) == 401


async def test_a_key_that_was_taken_back_serves_no_longer(keycloak: Keycloak) -> None:
    async with world(**settings(keycloak)) as w:
        old = await keycloak.token("ann")
        assert await status(w, old) == 200
        await keycloak.rotate()
        provider = w.parts.auth.provider
        assert provider is not None
        provider._fetched -= 60  # a minute later
        assert await status(w, await keycloak.token("ann")) == 200
        assert await status(w, old) == 401
