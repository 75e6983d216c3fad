"""API tokens of people: shown once, kept as a hash in ``setting.v1``, with scopes and an end, taken back at any time.

A token is ``wct_<id>_<secret>``. The secret has 256 random bits, so its plain SHA-256 cannot be guessed back.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex, token_urlsafe

from services.common import logs
from services.common.clock import Clock, now
from services.gateway.remembered import Remembered, Value

PREFIX = "wct_"
SCOPES = ("read", "write")
LONGEST_DAYS = 366
MOST = 50
"""Tokens of one person."""
_NAME = "token/"
_SWEEP = 3_600.0
_NONE = sha256(b"").hexdigest()
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """What is kept of a token. ``by`` says who made it: the mode of the gateway then, or operator."""

    id: str
    person: str
    hash: str
    label: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    by: str

    def value(self) -> Value:
        """Return what is stored."""
        return {
            "hash": self.hash,
            "label": self.label,
            "scopes": list(self.scopes),
            "created": self.created.isoformat(),
            "expires": self.expires.isoformat(),
            "by": self.by,
        }


class ApiTokens:
    """All tokens, as ``setting.v1`` has them."""

    def __init__(self, remembered: Remembered, clock: Clock = now) -> None:
        self._remembered = remembered
        self._clock = clock
        self._known: dict[str, ApiToken] = {}
        remembered.listen(_NAME, self._heard)

    def of(self, person: str = "") -> list[ApiToken]:
        """Return the tokens that still serve, of one person or of all, the newest first."""
        at = self._clock()
        alive = (one for one in self._known.values() if one.expires > at and person in ("", one.person))
        return sorted(alive, key=lambda one: (one.created, one.id), reverse=True)

    def get(self, id_: str) -> ApiToken | None:
        """Return a token that still serves."""
        found = self._known.get(id_)
        return found if found and found.expires > self._clock() else None

    def presented(self, text: str) -> ApiToken | None:
        """Return the token that somebody presents; None for one that is wrong, old or taken back.

        Compared in constant time, also where there is none of that id.
        """
        id_, _, secret = text.removeprefix(PREFIX).partition("_")
        found = self.get(id_)
        same = hmac.compare_digest(_hash(secret), found.hash if found else _NONE)
        return found if same and secret else None

    async def create(
        self, person: str, *, label: str, scopes: Iterable[str], days: float, by: str
    ) -> tuple[ApiToken, str]:
        """Store a new token; return it with its text, which nobody can ever read again. Raises Unpublished."""
        id_, secret, at = token_hex(8), token_urlsafe(32), self._clock()
        made = ApiToken(
            id=id_,
            person=person,
            hash=_hash(secret),
            label=label,
            scopes=tuple(sorted(set(scopes))),
            created=at,
            expires=at + timedelta(days=days),
            by=by,
        )
        await self._remembered.put(person, _NAME + id_, made.value())
        _log.info("an API token was made", id=id_, person=person, by=by)
        return made, f"{PREFIX}{id_}_{secret}"

    async def revoke(self, token: ApiToken) -> None:
        """Take a token back. Raises Unpublished where Kafka does not take it."""
        await self._remembered.put(token.person, _NAME + token.id, None)
        _log.info("an API token was taken back", id=token.id, person=token.person)

    async def sweep(self) -> None:
        """For ever: take away what serves nobody any more."""
        await self._remembered.sweep(self._ended, seconds=_SWEEP)

    def _ended(self) -> list[tuple[str, str]]:
        at = self._clock()
        return [(one.person, _NAME + one.id) for one in self._known.values() if one.expires < at]

    def _heard(self, person: str, id_: str, value: Value | None) -> None:
        self._known.pop(id_, None)
        if value is None:
            return
        try:
            self._known[id_] = _token(person, id_, value)
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("an API token cannot be read and serves nobody", id=id_, reason=type(error).__name__)


def _token(person: str, id_: str, value: Value) -> ApiToken:
    return ApiToken(
        id=id_,
        person=person,
        hash=str(value["hash"]),
        label=str(value["label"]),
        scopes=tuple(one for one in value["scopes"] if one in SCOPES),
        created=datetime.fromisoformat(value["created"]),
        expires=datetime.fromisoformat(value["expires"]),
        by=str(value["by"]),
    )


def _hash(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()
