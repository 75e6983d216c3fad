"""The identity provider: OpenID Connect Discovery 1.0, its keys, its tokens, and login by code with PKCE (RFC 7636)."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import time
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import JWKRegistry, Key

from services.common import logs
from services.common.errors import Retry
from services.gateway.loopback import is_private

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures with a public key only: a key that anybody can read must never be taken for a shared secret."""
LEEWAY = 30
"""Seconds that the clocks of the provider and ours may differ by."""
_FRESH = 300.0
"""Seconds after which keys are asked for anew, so that one that was withdrawn is not trusted for longer."""
_SELDOM = 10.0
"""Seconds between two questions for a key that is not known: tokens with made-up names of keys must not cost more."""
_MOMENT = 2.0
"""Seconds before a provider that did not answer is asked again, while no keys are known."""
_LARGEST = 1 << 20
_LONGEST = 16_384
_TIMEOUT = ClientTimeout(total=10, connect=5)
_log = logs.get(__name__)

Claims = Mapping[str, Any]


class Refused(Exception):
    """A token or a code is not good; the text says why in words that may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the provider says about itself."""

    issuer: str
    authorization: str
    token: str
    keys: str
    end_session: str
    says_issuer: bool
    """It names itself on every redirect (RFC 9207)."""


class Provider:
    """One provider. ``start`` before use, ``stop`` after. ``clock`` gives seconds since 1970."""

    def __init__(self, issuer: str, client: str, secret: str = "", *, clock: Callable[[], float] = time) -> None:
        self.issuer = issuer
        self.client = client
        self._secret = secret
        self._clock = clock
        self._http: ClientSession | None = None
        self._metadata: Metadata | None = None
        self._keys: list[Key] = []
        self._fetched = float("-inf")
        self._again = float("-inf")
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Open the client; the provider is asked when it is needed first."""
        self._http = ClientSession(timeout=_TIMEOUT, raise_for_status=False)

    async def stop(self) -> None:
        """Close."""
        if self._http is not None:
            await self._http.close()

    async def metadata(self) -> Metadata:
        """Return what the provider says about itself. Raises Retry while it cannot be asked."""
        if self._metadata is None:
            url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
            self._metadata = self._checked(await self._get(url))
        return self._metadata

    def _checked(self, said: Claims) -> Metadata:
        # Exactly (Discovery 4.3): else one provider's answer could stand for another's.
        if said.get("issuer") != self.issuer:
            raise Retry(f"the identity provider calls itself {said.get('issuer')!r}; set oidc_issuer to just that")
        try:
            found = Metadata(
                issuer=self.issuer,
                authorization=said["authorization_endpoint"],
                token=said["token_endpoint"],
                keys=said["jwks_uri"],
                end_session=said.get("end_session_endpoint", ""),
                says_issuer=bool(said.get("authorization_response_iss_parameter_supported")),
            )
        except KeyError as error:
            raise Retry(f"the identity provider does not say its {error.args[0]}") from error
        for url in (found.authorization, found.token, found.keys):
            _safe(url)
        return found

    async def verified(self, token: str, audience: str) -> Claims:
        """Return the claims of a token of this provider for an audience. Raises Refused, or Retry."""
        if len(token) > _LONGEST:
            raise Refused("it is too long")
        try:
            header = jws.extract_compact(token.encode()).headers()
            if header.get("alg") not in ALGORITHMS:
                raise Refused("its signature is of a kind that is not taken")
            found = jwt.decode(token, await self._key(header), algorithms=list(ALGORITHMS))
            self._rules(audience).validate(found.claims)
        except ExpiredTokenError:
            raise Refused("it has expired") from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise Refused(f"its claim {error.claim} is not right") from None
        except (JoseError, ValueError):
            raise Refused("its signature is not right") from None
        return found.claims

    def _rules(self, audience: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def access(self, token: str, audience: str) -> Claims:
        """Return the claims of an access token; one made for logging in is none. Raises as ``verified``."""
        claims = await self.verified(token, audience)
        if "nonce" in claims or "at_hash" in claims or claims.get("typ") in ("ID", "Refresh", "Logout"):
            raise Refused("it is no access token")
        return claims

    async def _key(self, header: Claims) -> Key:
        named = header.get("kid")
        if self._clock() - self._fetched > _FRESH:
            await self._fetch(_FRESH)
        found = self._find(named)
        if found is None:
            await self._fetch(_SELDOM)
            found = self._find(named)
        if found is None:
            raise Refused("it is signed with a key that the identity provider does not have (any more)")
        return found

    def _find(self, named: object) -> Key | None:
        if named is None:  # as RFC 7515 has it, a key need not be named where there is one only
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == named), None)

    async def _fetch(self, older: float) -> None:
        """Ask for the keys unless they are younger than so many seconds; old ones serve while there is no answer."""
        async with self._asking:
            if self._clock() - self._fetched <= older:
                return
            if self._clock() < self._again:  # who waited for their turn must not ask in vain one after the other
                if not self._keys:
                    raise Retry("the identity provider did not answer a moment ago")
                return
            try:
                said = await self._get((await self.metadata()).keys)
            except Retry as error:
                self._again = self._clock() + (_SELDOM if self._keys else _MOMENT)
                if not self._keys:
                    raise
                _log.warning("the keys of the identity provider are not renewed", reason=str(error))
                return
            self._keys = _keys(said.get("keys"))
            self._fetched = self._clock()

    async def address(self, *, redirect: str, scopes: str, state: str, nonce: str, challenge: str) -> str:
        """Return where a browser goes to log in."""
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": redirect,
            "scope": scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        where = (await self.metadata()).authorization
        return f"{where}{'&' if urlsplit(where).query else '?'}{urlencode(asked)}"

    async def logged_in(self, *, code: str, verifier: str, redirect: str, nonce: str) -> Claims:
        """Give a code back for an identity token; return its claims. Raises Refused, or Retry."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        headers = {}
        if self._secret:
            headers["Authorization"] = _basic(self.client, self._secret)
        else:
            form["client_id"] = self.client
        where = (await self.metadata()).token
        said = await self._asked(lambda http: http.post(where, data=form, headers=headers, allow_redirects=False))
        if not isinstance(said.get("id_token"), str):
            raise Refused("the identity provider gave no identity token for the code")
        claims = await self.verified(said["id_token"], self.client)
        if claims.get("nonce") != nonce:
            raise Refused("its claim nonce is not right")
        if claims.get("azp", self.client) != self.client:
            raise Refused("its claim azp is not right")
        return claims

    async def _get(self, url: str) -> Claims:
        _safe(url)
        try:
            return await self._asked(lambda http: http.get(url, allow_redirects=False))
        except Refused:
            raise Retry("the identity provider does not say what it is and signs with") from None

    async def _asked(self, ask: Callable[[ClientSession], Any]) -> Claims:
        assert self._http is not None, "start first"
        try:
            async with ask(self._http) as answer:
                body = await _limited(answer.content.read)
                if answer.status in (400, 401, 403):
                    raise Refused("the identity provider does not take it")
                if answer.status != 200:
                    raise Retry(f"the identity provider answered {answer.status}")
                said = orjson.loads(body)
        except (ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise Retry(f"the identity provider cannot be asked: {type(error).__name__}") from error
        return said if isinstance(said, dict) else {}


async def _limited(read: Callable[[int], Awaitable[bytes]]) -> bytes:
    parts, size = [], 0
    while part := await read(65_536):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise Retry("the identity provider's answer is too long")
    return b"".join(parts)


def _keys(given: object) -> list[Key]:
    """Return the public keys for signatures; what we cannot use is passed over, as RFC 7517 wants it."""
    found: list[Key] = []
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC", "OKP") or one.get("use", "sig") != "sig":
            continue
        try:
            found.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError):
            _log.warning("a key of the identity provider cannot be used", kty=str(one.get("kty")))
    return found


def _basic(client: str, secret: str) -> str:
    """Return the header that a client with a secret names itself by (RFC 6749, 2.3.1: both form-encoded first)."""
    return "Basic " + b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def _safe(url: str) -> None:
    if not is_private(url):
        raise Retry("the identity provider must be asked by https")
