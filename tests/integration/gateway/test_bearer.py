"""Bearer tokens: those of a real identity provider, and those that somebody made up, kept too long or bent."""

import asyncio
import base64
import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from tests.fixtures.oidc import IdentityProvider
from tests.integration.gateway.test_login import settings
from tests.unit.gateway.world import HALL, World, said, world

pytestmark = pytest.mark.integration


async def status(w: World, token: str, path: str = "/v1/me") -> int:
    async with w.client.get(path, headers={"Authorization": f"Bearer {token}"}) as answer:
        if answer.status == 401:
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        return answer.status


async def test_a_program_reads_with_a_token_of_the_provider(identity: IdentityProvider) -> None:
    async with world(**settings(identity)) as w:
        await w.opened(HALL)
        await w.happens(said(1, text="hello"))
        token = await identity.program()
        assert await status(w, token) == 200
        async with w.client.get("/v1/activities", headers={"Authorization": f"Bearer {token}"}) as answer:
            assert (await answer.json(content_type=None))["totalItems"] == 1


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def without_signature(i: IdentityProvider) -> str:
    _, claims, _ = i.forged().split(".")
    return f"{_b64({'alg': 'none', 'kid': 'first'})}.{claims}."


def with_the_public_key_as_a_secret(i: IdentityProvider) -> str:
    _, claims, _ = i.forged().split(".")
    signed = f"{_b64({'alg': 'HS256', 'kid': 'first'})}.{claims}"
    mark = hmac.digest(i.key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def signed(i: IdentityProvider, header: dict[str, Any]) -> str:
    """Return a token with the provider's own signature and a header that no library would make."""
    _, claims, _ = i.forged().split(".")
    text = f"{_b64({'alg': 'RS256', 'kid': 'first', **header})}.{claims}"
    mark = i.key.get_op_key("sign").sign(text.encode(), PKCS1v15(), SHA256())
    return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def bent(i: IdentityProvider) -> str:
    header, claims, signature = i.forged().split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{header}.{_b64(said | {'sub': 'bob'})}.{signature}"


BAD: dict[str, Callable[[IdentityProvider], str]] = {
    "expired": lambda i: i.forged(exp=int(time.time()) - 60),
    "without an end": lambda i: i.forged(without="exp"),
    "not yet": lambda i: i.forged(nbf=int(time.time()) + 120),
    "issued in the future": lambda i: i.forged(iat=int(time.time()) + 120),
    "forged": lambda i: i.forged(RSAKey.generate_key(2048, {"kid": "first"})),
    "bent": bent,
    "alg none": without_signature,
    "key confusion": with_the_public_key_as_a_secret,
    "key in the header": lambda i: _with_own_key(i),
    "wrong audience": lambda i: i.forged(aud="another-api"),
    "without audience": lambda i: i.forged(without="aud"),
    "audience of the page": lambda i: i.forged(aud="page"),
    "wrong issuer": lambda i: i.forged(iss="https://elsewhere.example"),
    "issuer with a slash": lambda i: i.forged(iss=i.issuer + "/"),
    "unknown key": lambda i: i.forged(header={"kid": "nobody's"}),
    "critical header": lambda i: signed(i, {"crit": ["b64x"], "b64x": True}),
    "identity token": lambda i: i.forged(nonce="n"),
    "without a subject": lambda i: i.forged(without="sub"),
    "nonsense": lambda i: "a.b.c",
    "letters": lambda i: "é" * 40,
    "very long": lambda i: "x" * 7_000,
    "our own kind": lambda i: "wct_0123456789abcdef_secret",
    "nothing": lambda i: "",
}


def _with_own_key(i: IdentityProvider) -> str:
    own = RSAKey.generate_key(2048, {"kid": "mine"})
    return i.forged(own, {"kid": "mine", "jwk": own.as_dict(private=False)})


async def test_no_bad_token_is_taken_and_none_stands_in_the_log(
    identity: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with world(**settings(identity)) as w:
        good = identity.forged()
        assert await status(w, good) == 200
        for name, make in BAD.items():
            token = make(identity)
            assert await status(w, token) == 401, name
            assert not token or token not in caplog.text, name
        assert good.split(".")[2] not in caplog.text


@pytest.mark.parametrize(
    "value", ["everyone", "(restricted)", "(applied)", "group:board", "", " ", "a\nb", 7, None, ["ann"], "x" * 600]
)
async def test_nobody_is_somebody_whom_there_cannot_be(identity: IdentityProvider, value: Any) -> None:
    async with world(**settings(identity, oidc_person_claim="who")) as w:
        assert await status(w, identity.forged(who="ann")) == 200
        assert await status(w, identity.forged(who=value)) == 403


async def test_clocks_may_differ_a_little(identity: IdentityProvider) -> None:
    at = int(time.time())
    async with world(**settings(identity)) as w:
        assert await status(w, identity.forged(iat=at + 15, nbf=at + 15)) == 200
        assert await status(w, identity.forged(exp=at - 15)) == 200


async def test_new_keys_are_learnt_and_old_ones_forgotten(own_identity: IdentityProvider) -> None:
    async with world(**settings(own_identity)) as w:
        old = own_identity.forged()
        assert await status(w, old) == 200
        await asyncio.to_thread(own_identity.rotate)
        provider = w.parts.auth.provider
        assert provider is not None
        provider._fetched -= 60  # a minute later
        new = own_identity.forged(header={"kid": "second"})
        assert await status(w, new) == 200
        assert await status(w, await own_identity.program()) == 200
        assert await status(w, old) == 401


async def test_keys_serve_while_the_provider_is_away_and_made_up_names_do_not_make_us_ask(
    own_identity: IdentityProvider,
) -> None:
    async with world(**settings(own_identity)) as w:
        good = own_identity.forged()
        assert await status(w, good) == 200
        provider = w.parts.auth.provider
        assert provider is not None
        before = provider._fetched
        for n in range(20):
            assert await status(w, own_identity.forged(header={"kid": f"made up {n}"})) == 401
        assert provider._fetched == before
        await asyncio.to_thread(own_identity.stop)
        provider._fetched -= 600
        assert await status(w, good) == 200


async def test_before_the_provider_has_ever_answered_the_answer_is_later(own_identity: IdentityProvider) -> None:
    await asyncio.to_thread(own_identity.stop)
    async with world(**settings(own_identity)) as w:
        assert await status(w, own_identity.forged()) == 503
        async with w.client.get("/login", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
