"""Short-lived tokens to open one live stream with, for readers that cannot send a header (a browser's EventSource).

A token is a random text; Kafka holds its SHA-256 only. Whoever opens the stream claims the token in the log, and the
first claim in the order of the log has it: so it serves once, whichever gateway process is asked. The stream is that of
who asked for the token: it ends when their API token or session does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from urllib.parse import parse_qsl

from services.common.bus import Unpublished
from services.common.clock import Clock, now
from services.gateway.auth import Asker
from services.gateway.problems import Problem
from services.gateway.remembered import Remembered, Value

PARAMETER = "access_token"
LIFE = timedelta(seconds=60)
_PREFIX = "stream-token/"
_SWEEP = 60.0
_FREE = frozenset({PARAMETER, "last_event_id"})
"""Parameters that a token does not bind: they differ from one opening to the next."""


@dataclass(slots=True)
class _Issued:
    asker: Asker
    query: tuple[tuple[str, str], ...]
    expires: datetime
    claim: str = ""


class StreamTokens:
    """Issues and takes tokens; run ``sweep`` as a part of the service."""

    def __init__(self, remembered: Remembered, clock: Clock = now) -> None:
        self._remembered = remembered
        self._clock = clock
        self._known: dict[str, _Issued] = {}
        remembered.listen(_PREFIX, self._heard)

    async def issue(self, asker: Asker, query: Sequence[tuple[str, str]]) -> tuple[str, datetime]:
        """Return a token for one stream, and when it ends. Raises Unpublished where Kafka does not take it."""
        token, expires = token_urlsafe(24), self._clock() + LIFE
        issued = _Issued(asker, tuple(_bound(query)), expires)
        await self._remembered.put(asker.person, _PREFIX + _hash(token), _value(issued, claim=""))
        return token, expires

    async def take(self, token: str, query: Sequence[tuple[str, str]]) -> Asker:
        """Return who asked for a token, and use it up. Raises Problem for one that is old, used or for something else.

        Whether they still may read is for the caller to ask.
        """
        hashed = _hash(token)
        if hashed not in self._known:
            await self._remembered.caught_up()
        issued = self._known.get(hashed)
        if issued is None or issued.claim or issued.expires < self._clock() or issued.query != tuple(_bound(query)):
            raise refused()
        claim = token_hex(8)
        try:
            await self._remembered.put(issued.asker.person, _PREFIX + hashed, _value(issued, claim=claim))
            await self._remembered.caught_up()
        except Unpublished as error:
            raise Problem(503, "not-yet", "Kafka does not take it for the moment.", retry_after=5) from error
        if issued.claim != claim:
            raise refused()
        return issued.asker

    def _heard(self, person: str, hashed: str, value: Value | None) -> None:
        if value is None:
            self._known.pop(hashed, None)
            return
        held = self._known.get(hashed)
        if held is None:
            self._known[hashed] = _issued(person, value)
        elif not held.claim:  # a later claim is too late
            held.claim = value["claim"]

    async def sweep(self) -> None:
        """For ever: take away what has ended a while ago."""
        await self._remembered.sweep(self._ended, seconds=_SWEEP)

    def _ended(self) -> list[tuple[str, str]]:
        before = self._clock() - LIFE
        return [(one.asker.person, _PREFIX + hashed) for hashed, one in self._known.items() if one.expires < before]


def _value(issued: _Issued, *, claim: str) -> Value:
    asker = issued.asker
    return {
        "query": issued.query,
        "expires": issued.expires.isoformat(),
        "claim": claim,
        "principals": asker.principals,
        "roles": sorted(asker.roles),
        "key": asker.key,
        "ends": None if asker.ends == float("inf") else asker.ends,
    }


def _issued(person: str, value: Value) -> _Issued:
    ends = value.get("ends")
    asker = Asker(
        person=person,
        principals=tuple(value.get("principals", ())),
        roles=frozenset(value.get("roles", ())),
        scopes=frozenset({"read"}),
        key=value.get("key", ""),
        ends=float("inf") if ends is None else ends,
    )
    query = tuple((str(name), str(given)) for name, given in value["query"])
    return _Issued(asker, query, datetime.fromisoformat(value["expires"]), value["claim"])


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _bound(query: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in query if name not in _FREE)


def read(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a query string."""
    return parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=200)


def given(query: Mapping[str, str]) -> str:
    """Return the token of a request, empty without one."""
    return query.get(PARAMETER, "")


def refused() -> Problem:
    """Return the answer to a token that does not serve."""
    return Problem(
        401, "bad-token", "This stream token was used, has ended, or is for another stream; ask for another."
    )
