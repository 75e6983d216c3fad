"""API tokens: hashed, scoped, ending, taken back; for people to make and not for tokens."""

import hmac
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from services.common import topics
from services.common.clock import now
from services.gateway.api_tokens import ApiTokens
from tests.unit.gateway.world import HALL, World, said, world

OIDC: dict[str, Any] = {
    "auth": "oidc",
    "oidc_issuer": "https://login.example",
    "oidc_client_id": "page",
    "session_key": "x",
}


async def made(w: World, person: str = "ann", **more: Any) -> str:
    """Return a new token, as the operator makes it."""
    given = {"label": "laptop", "scopes": ["read"], "days": 1, "by": "operator", **more}
    _, text = await w.parts.auth.tokens.create(person, **given)
    await w.parts.remembered.caught_up()
    return text


async def status(w: World, token: str, path: str = "/v1/me", method: str = "GET", **more: Any) -> int:
    async with w.client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more) as answer:
        return answer.status


async def test_a_token_reads_as_its_person_and_only_reads() -> None:
    async with world(**OIDC) as w:
        await w.opened(HALL, "ann")
        await w.happens(said(1))
        token = await made(w)
        async with w.client.get("/v1/activities", headers={"Authorization": f"bearer {token}"}) as answer:
            assert (await answer.json(content_type=None))["totalItems"] == 1
        act = {"subject": "chat:1", "kind": "seen"}
        assert await status(w, token, "/v1/feedback", "POST", json=act) == 403
        tried = {"rule": "if anything then notify"}
        assert await status(w, token, "/v1/me/rules/dry-run", "POST", json=tried) == 200  # keeps nothing
        assert await status(w, await made(w, scopes=["read", "write"]), "/v1/feedback", "POST", json=act) == 204
        assert await status(w, await made(w, scopes=["write"])) == 403


async def test_wrong_tokens_are_refused_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = hmac.compare_digest

    def spied(a: str, b: str) -> bool:
        compared.append((len(a), len(b)))
        return compare(a, b)

    async with world(**OIDC) as w:
        token = await made(w)
        monkeypatch.setattr(hmac, "compare_digest", spied)
        for wrong in (token[:-1], token + "x", token.replace("wct_", "wct_0"), "wct_", "wct__", f"wct_{'0' * 16}_"):
            assert await status(w, wrong) == 401, wrong
        assert await status(w, token) == 200
        assert compared == [(64, 64)] * 7, "also where there is no such token"


async def test_a_token_ends_when_it_should() -> None:
    async with world(**OIDC) as w:
        token = await made(w, days=1)
        later = ApiTokens(w.parts.remembered, clock=lambda: now() + timedelta(hours=25))
        soon = ApiTokens(w.parts.remembered, clock=lambda: now() + timedelta(hours=23))
        await w.parts.auth.tokens.create("bob", label="x", scopes=["read"], days=1, by="operator")
        for one in (later, soon):
            one._known = w.parts.auth.tokens._known
        assert later.presented(token) is None
        assert soon.presented(token) is not None


async def test_a_token_that_is_taken_back_serves_nobody_and_ends_its_streams() -> None:
    async with world(**OIDC) as w:
        await w.opened(HALL)
        token = await made(w)
        async with w.client.get("/v1/stream", headers={"Authorization": f"Bearer {token}"}) as stream:
            assert stream.status == 200
            (known,) = w.parts.auth.tokens.of("ann")
            await w.parts.auth.tokens.revoke(known)
            await w.parts.remembered.caught_up()
            rest = await stream.content.read()
            assert b'"reason":"revoked"' in rest
        assert await status(w, token) == 401


async def test_a_restart_loses_no_token_and_no_revocation() -> None:
    async with world(**OIDC) as w:
        kept, gone = await made(w), await made(w, label="old")
        await w.parts.auth.tokens.revoke(next(t for t in w.parts.auth.tokens.of("ann") if t.label == "old"))
        async with world(w.bus, w.search, **OIDC) as again:
            assert [await status(again, one) for one in (kept, gone)] == [200, 401]


async def test_people_make_list_and_take_back_their_own() -> None:
    async with world() as w:
        asked = {"label": "build server", "scopes": ["read"], "days": 30}
        answer = await w.client.post("/v1/me/tokens?as=ann", json=asked)
        new = await answer.json(content_type=None)
        assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
        assert await status(w, new["token"]) == 200
        (listed,) = (await w.json("/v1/me/tokens"))["orderedItems"]
        assert (listed["label"], "token" in listed) == ("build server", False)
        assert (await w.json("/v1/me/tokens", as_="bob"))["orderedItems"] == []
        assert (await w.client.delete(f"/v1/me/tokens/{new['id']}?as=bob")).status == 404
        assert (await w.client.delete(f"/v1/me/tokens/{new['id']}?as=ann")).status == 204
        assert await status(w, new["token"]) == 401


async def test_a_token_makes_and_takes_back_none() -> None:
    async with world(**OIDC) as w:
        token = await made(w, scopes=["read", "write"])
        (known,) = w.parts.auth.tokens.of("ann")
        assert await status(w, token, "/v1/me/tokens", "POST", json={"label": "more"}) == 403
        assert await status(w, token, f"/v1/me/tokens/{known.id}", "DELETE") == 403
        assert await status(w, token, "/v1/tokens") == 403


async def test_what_demo_mode_made_serves_nobody_in_earnest() -> None:
    async with world() as w:
        new = await (await w.client.post("/v1/me/tokens?as=ann", json={"label": "x"})).json(content_type=None)
        async with world(w.bus, w.search, **OIDC) as earnest:
            assert await status(earnest, new["token"]) == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": "x", "scopes": []},
        {"label": "x", "scopes": ["all"]},
        {"label": "x", "days": 0},
        {"label": "x", "days": 367},
        {"label": "x", "days": "9"},
        {"label": "x", "person": "bob"},
        [],
        "x",
    ],
)
async def test_bad_wishes_are_refused(body: Any) -> None:
    async with world() as w:
        answer = await w.client.post("/v1/me/tokens?as=ann", json=body)
        assert (answer.status, answer.content_type) == (400, "application/problem+json")


async def test_neither_the_log_nor_kafka_holds_a_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with world(**OIDC) as w:
        token = await made(w)
        await status(w, token)
        await status(w, token + "x")
        topic = topics.SETTING.name(w.bus.prefix)
        reader = await w.bus.reader()
        await reader.start_at({p: first for p, (first, _) in (await reader.bounds(topic)).items()})
        held = b"".join(r.value or b"" for r in await reader.poll(limit=10, wait=1))
    secret = token.split("_", 2)[2]
    assert len(secret) > 20
    assert b"laptop" in held
    assert secret.encode() not in held
    assert secret not in caplog.text
    assert secret not in json.dumps([r.getMessage() for r in caplog.records])
