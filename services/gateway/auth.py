"""Who is asking: by an API token, a bearer token or a session of the identity provider, or in demo mode by name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from time import time
from typing import Any, Protocol

from aiohttp import hdrs, web

from services.common.access import EVERYONE
from services.common.errors import Retry, Stop
from services.common.settings import Settings
from services.gateway.api_tokens import PREFIX, ApiTokens
from services.gateway.claims import ADMIN, GROUP, READER, Claims, Identity
from services.gateway.loopback import is_loopback, is_private, refuse_strangers
from services.gateway.oidc import Provider, Refused
from services.gateway.problems import Problem
from services.gateway.sessions import Sessions

COOKIE = "watercooler_as"
HEADER = "X-Watercooler-As"
PARAMETER = "as"
_LONGEST = 512
_SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_BOTH = frozenset({"read", "write"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody who asks. ``person`` is empty for one who is just anybody of the organisation.

    ``key`` names the token or session that says so ("" in demo mode); ``ends`` is when that does, seconds since 1970.
    """

    person: str
    principals: tuple[str, ...]
    roles: frozenset[str] = frozenset({READER})
    scopes: frozenset[str] = _BOTH
    key: str = ""
    ends: float = float("inf")


class Accounts(Protocol):
    """Knows the accounts of people."""

    def accounts_of(self, person: str) -> Iterable[str]:
        """Return the ids of the person's accounts."""


class People(Accounts, Protocol):
    """Knows the people of accounts, too."""

    def person_of(self, account: str) -> str:
        """Return the person behind an account, empty where none is known."""


class Auth:
    """Names the asker of a request. Raises Stop at once for settings that would let in the wrong ones."""

    def __init__(
        self,
        settings: Settings,
        people: People,
        *,
        tokens: ApiTokens,
        sessions: Sessions,
        clock: Callable[[], float] = time,
    ) -> None:
        self.mode = settings.auth
        self.public = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.gateway_port}"
        self.tokens = tokens
        self.sessions = sessions
        self.scopes = settings.oidc_scopes
        self._audience = settings.oidc_audience
        self._origins = frozenset(settings.gateway_cors_origins)
        self._people = people
        self.claims = Claims(settings, people.person_of)
        self._clock = clock
        self.provider = _provider(settings, self.public, clock)

    async def start(self) -> None:
        """Make the identity provider ready to be asked."""
        if self.provider is not None:
            await self.provider.start()

    async def stop(self) -> None:
        """Close."""
        if self.provider is not None:
            await self.provider.stop()

    def reader(self, claims: Mapping[str, Any]) -> Identity:
        """Return who has logged in; raises Problem for one who may not read here."""
        found = self.claims.identity(claims)
        _must_read(self.claims.roles(found.groups))
        return found

    async def asker(self, request: web.Request, scope: str = "") -> Asker:
        """Return who asks; raises Problem where nobody may, or not this. Without ``scope`` the method says it."""
        self.admits(request)
        found = await self._named(request)
        wanted = scope or ("read" if request.method in _SAFE else "write")
        _must_read(found.roles)
        if wanted not in found.scopes:
            raise Problem(403, "not-allowed", f"The token is not for this: its scopes lack {wanted}.")
        return found

    def admits(self, request: web.Request) -> None:
        """Raise Problem where nobody may ask, whoever it is."""
        if self.mode == "none":
            raise Problem(
                401,
                "who-asks",
                "Nobody may read here: auth is none; set WATERCOOLER_AUTH=demo to look at it on this machine.",
            )
        if self.mode == "demo":
            refuse_strangers(request, self._origins)
        elif PARAMETER in request.query:
            raise Problem(400, "bad-parameter", "as: it is for demo mode only; log in or send a token.")

    async def _named(self, request: web.Request) -> Asker:
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        if given:
            kind, _, text = given.partition(" ")
            if kind.lower() != "bearer" or not text.strip():
                raise _unknown("Authorization must be Bearer and a token.")
            return await self._by_token(text.strip())
        if self.mode == "demo":
            return self.as_person(_chosen(request))
        found = self._by_session(request)
        if found is None:
            raise _unknown("Say who you are: log in at /login, or send a token as Authorization: Bearer.", tried=False)
        return found

    async def _by_token(self, text: str) -> Asker:
        if text.startswith(PREFIX):
            token = self.tokens.presented(text)
            if token is None or (token.by == "demo" and self.mode != "demo"):
                raise _unknown("The token is wrong, has ended, or was taken back.")
            return replace(
                self.as_person(token.person),
                scopes=frozenset(token.scopes),
                key=f"token/{token.id}",
                ends=token.expires.timestamp(),
            )
        if self.provider is None or not self._audience:
            raise _unknown("Tokens of an identity provider are not taken here.")
        try:
            claims = await self.provider.access(text, self._audience)
        except Refused as error:
            raise _unknown(f"The token is not good: {error}.") from None
        except Retry as error:
            raise away(error) from error
        identity = self.claims.identity(claims)
        return replace(self._somebody(identity.person, identity.groups), key="bearer", ends=float(claims["exp"]))

    def _by_session(self, request: web.Request) -> Asker | None:
        session = self.sessions.of(request)
        if session is None:
            return None
        if request.method not in _SAFE and not same_origin(request, self.public):
            raise Problem(403, "not-here", "The request comes from another site than ours.")
        found = self._somebody(session.person, session.groups)
        return replace(found, key=f"session/{session.id}", ends=session.ends)

    def as_person(self, person: str) -> Asker:
        """Return the asker that a person is, with the groups that were known when they logged in last."""
        if self.mode == "demo":
            return self._somebody(person, (), frozenset({READER}))
        return self._somebody(person, self.sessions.groups_of(person))

    def again(self, asker: Asker) -> Asker | None:
        """Return who an asker is by now; None for one who may not read any more. Asked for every open stream."""
        if self.mode == "none" or asker.ends <= self._clock() or self._taken_back(asker):
            return None
        if asker.key.startswith("token/"):
            now = self.as_person(asker.person)
        else:
            groups = tuple(one.removeprefix(GROUP) for one in asker.principals if one.startswith(GROUP))
            now = self._somebody(asker.person, groups, asker.roles)
        return replace(now, scopes=asker.scopes, key=asker.key, ends=asker.ends)

    def _taken_back(self, asker: Asker) -> bool:
        kind, _, id_ = asker.key.partition("/")
        if kind == "token":
            return self.tokens.get(id_) is None
        return kind == "session" and self.sessions.ended(id_)

    def _somebody(self, person: str, groups: tuple[str, ...], roles: frozenset[str] | None = None) -> Asker:
        roles = self.claims.roles(groups) if roles is None else roles
        if not person:
            return Asker(person="", principals=(EVERYONE,), roles=roles)
        own = (EVERYONE, person, *self._people.accounts_of(person), *(GROUP + one for one in groups))
        return Asker(person=person, principals=tuple(dict.fromkeys(own)), roles=roles)


def _must_read(roles: frozenset[str]) -> None:
    if READER not in roles:
        raise Problem(403, "not-allowed", "You are in none of the groups that may read here.")


def administrator(asker: Asker) -> Asker:
    """Return the asker, who must be an administrator and no token; raises Problem for others."""
    if ADMIN not in asker.roles or asker.key.startswith("token/"):
        raise Problem(403, "not-allowed", "This is for administrators who are logged in.")
    return asker


def same_origin(request: web.Request, public: str) -> bool:
    """Return whether a browser sent the request from a page of ours; one that does not say so does not count."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None:
        return origin == public
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def away(error: Exception) -> Problem:
    """Return the answer while the identity provider cannot be asked."""
    return Problem(503, "not-yet", f"{error}.", retry_after=5)


def _unknown(detail: str, *, tried: bool = True) -> Problem:
    said = 'Bearer realm="watercooler"' + (', error="invalid_token"' if tried else "")
    return Problem(401, "who-asks", detail, headers={hdrs.WWW_AUTHENTICATE: said})


def _chosen(request: web.Request) -> str:
    given = request.query.get(PARAMETER) or request.headers.get(HEADER) or request.cookies.get(COOKIE) or ""
    if len(given) > _LONGEST or not given.isprintable():
        raise Problem(400, "bad-parameter", f"as: a person id of at most {_LONGEST} printable characters is expected.")
    return given


def _provider(settings: Settings, public: str, clock: Callable[[], float]) -> Provider | None:
    """Return the identity provider of the settings; raises Stop where they let in the wrong ones."""
    if settings.auth == "demo" and not is_loopback(settings.host):
        raise Stop(
            f"auth = demo lets anybody be anybody and so listens on loopback only, not on {settings.host};"
            " set host = 127.0.0.1, or auth = oidc"
        )
    if settings.auth != "oidc":
        return None
    for name in ("oidc_issuer", "oidc_client_id"):
        if not getattr(settings, name):
            raise Stop(f"auth = oidc needs {name}; set WATERCOOLER_{name.upper()}")
    for name, url in (("public_url", public), ("oidc_issuer", settings.oidc_issuer)):
        if not is_private(url):
            raise Stop(f"{name} is {url}; with auth = oidc it must begin with https://, or be on this machine")
    secret = settings.oidc_client_secret.get_secret_value()
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, clock=clock)
