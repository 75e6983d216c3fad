"""Short-lived tokens to open one live stream with, for readers that cannot send a header (a browser's EventSource).

A token is a random text; Kafka holds its SHA-256 only. Whoever opens the stream claims the token in the log, and the
first claim in the order of the log has it: so it serves once, whichever gateway process is asked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from urllib.parse import parse_qsl

from services.common import logs
from services.common.bus import Unpublished
from services.common.clock import Clock, now
from services.gateway.problems import Problem
from services.gateway.remembered import Remembered, Value

PARAMETER = "access_token"
LIFE = timedelta(seconds=60)
_PREFIX = "stream-token/"
_SWEEP = 60.0
_FREE = frozenset({PARAMETER, "last_event_id"})
"""Parameters that a token does not bind: they differ from one opening to the next."""
_log = logs.get(__name__)


@dataclass(slots=True)
class _Issued:
    person: str
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

    async def issue(self, person: str, query: Sequence[tuple[str, str]]) -> tuple[str, datetime]:
        """Return a token for one stream, and when it ends. Raises Unpublished where Kafka does not take it."""
        token, expires = token_urlsafe(24), self._clock() + LIFE
        value = {"query": _bound(query), "expires": expires.isoformat(), "claim": ""}
        await self._remembered.put(person, _PREFIX + _hash(token), value)
        return token, expires

    async def take(self, token: str, query: Sequence[tuple[str, str]]) -> str:
        """Return whose token it is, and use it up. Raises Problem for one that is old, used or for something else."""
        hashed = _hash(token)
        if hashed not in self._known:
            await self._remembered.caught_up()
        issued = self._known.get(hashed)
        if issued is None or issued.claim or issued.expires < self._clock() or issued.query != tuple(_bound(query)):
            raise _refused()
        claim = token_hex(8)
        value = {"query": issued.query, "expires": issued.expires.isoformat(), "claim": claim}
        try:
            await self._remembered.put(issued.person, _PREFIX + hashed, value)
            await self._remembered.caught_up()
        except Unpublished as error:
            raise Problem(503, "not-yet", "Kafka does not take it for the moment.", retry_after=5) from error
        if issued.claim != claim:
            raise _refused()
        return issued.person

    def _heard(self, person: str, hashed: str, value: Value | None) -> None:
        if value is None:
            self._known.pop(hashed, None)
            return
        held = self._known.get(hashed)
        if held is None:
            query = tuple((str(name), str(given)) for name, given in value["query"])
            expires = datetime.fromisoformat(value["expires"])
            self._known[hashed] = _Issued(person, query, expires, value["claim"])
        elif not held.claim:  # a later claim is too late
            held.claim = value["claim"]

    async def sweep(self) -> None:
        """For ever: take away what has ended a while ago."""
        while True:
            await asyncio.sleep(_SWEEP)
            before = self._clock() - LIFE
            gone = [(one.person, _PREFIX + hashed) for hashed, one in self._known.items() if one.expires < before]
            try:
                await self._remembered.put_all((person, name, None) for person, name in gone)
            except Unpublished as error:
                _log.warning("old stream tokens stay for now", reason=str(error))


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


def _refused() -> Problem:
    return Problem(
        401, "bad-token", "This stream token was used, has ended, or is for another stream; ask for another."
    )
