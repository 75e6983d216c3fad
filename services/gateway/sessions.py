"""Sessions of the web page: a sealed cookie that holds who it is. Logging out is an event in ``setting.v1``."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from time import time

from aiohttp import web

from services.common.settings import Settings
from services.gateway.claims import Identity
from services.gateway.remembered import Remembered, Value
from services.gateway.sealed import Sealer

_NAME = "session/"
_GROUPS = "groups"
_PURPOSE = "session"
_LONGEST = 3_800
"""Characters of a cookie: browsers take 4 KiB with its name and attributes."""
_SWEEP = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is logged in, and until when (seconds since 1970)."""

    id: str
    person: str
    groups: tuple[str, ...]
    ends: float


class Sessions:
    """Makes, reads and ends sessions. ``secure``: the page is reached by https only."""

    def __init__(
        self,
        remembered: Remembered,
        sealer: Sealer,
        *,
        hours: float,
        secure: bool,
        clock: Callable[[], float] = time,
    ) -> None:
        self._remembered = remembered
        self._sealer = sealer
        self._seconds = hours * 3600
        self._clock = clock
        self.secure = secure
        self.cookie = "__Host-watercooler" if secure else "watercooler"
        self._ended: dict[str, tuple[str, float]] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        remembered.listen(_NAME, self._heard)
        remembered.listen(_GROUPS, self._heard_groups)

    @classmethod
    def make(cls, settings: Settings, remembered: Remembered, sealer: Sealer) -> "Sessions":
        """Return the sessions of the settings."""
        secure = settings.public_url.startswith("https://")
        return cls(remembered, sealer, hours=settings.session_hours, secure=secure)

    async def begin(self, response: web.StreamResponse, who: Identity) -> None:
        """Give a response the cookie of a new session. Raises Unpublished where Kafka does not take it."""
        await self._remember(who)
        value: dict[str, object] = {"sid": token_hex(16), "person": who.person}
        text = self._sealer.seal(_PURPOSE, {**value, "groups": who.groups}, self._seconds)
        if len(text) > _LONGEST:  # then the groups are those that are remembered
            text = self._sealer.seal(_PURPOSE, value, self._seconds)
        self.set_cookie(response, self.cookie, text, self._seconds)

    async def _remember(self, who: Identity) -> None:
        """Keep the groups for API tokens, which come without claims."""
        if self.groups_of(who.person) != who.groups:
            await self._remembered.put(who.person, _GROUPS, {"groups": list(who.groups)})
            await self._remembered.caught_up()

    def of(self, request: web.Request) -> Session | None:
        """Return the session of a request; None for one that is not ours, has ended or was ended."""
        value = self._sealer.opened(_PURPOSE, request.cookies.get(self.cookie, ""))
        if value is None or self.ended(value["sid"]):
            return None
        person = str(value["person"])
        groups = tuple(value["groups"]) if "groups" in value else self.groups_of(person)
        return Session(id=value["sid"], person=person, groups=groups, ends=float(value["exp"]))

    async def end(self, response: web.StreamResponse, session: Session | None) -> None:
        """End a session, wherever its cookie is kept. Raises Unpublished where Kafka does not take it."""
        if session is not None:
            await self._remembered.put(session.person, _NAME + session.id, {"until": session.ends})
            await self._remembered.caught_up()
        self.clear_cookie(response, self.cookie)

    def ended(self, id_: str) -> bool:
        """Return whether somebody has logged out of a session."""
        return id_ in self._ended

    def groups_of(self, person: str) -> tuple[str, ...]:
        """Return the groups of a person when they logged in last."""
        return self._groups.get(person, ())

    def set_cookie(self, response: web.StreamResponse, name: str, text: str, seconds: float, path: str = "/") -> None:
        """Set a cookie that scripts cannot read and other sites' forms do not send.

        Lax and not Strict: the first page after logging in comes by way of the identity provider's site.
        """
        response.set_cookie(
            name, text, max_age=int(seconds), path=path, httponly=True, secure=self.secure, samesite="Lax"
        )

    def clear_cookie(self, response: web.StreamResponse, name: str, path: str = "/") -> None:
        """Take a cookie away."""
        response.del_cookie(name, path=path, httponly=True, secure=self.secure, samesite="Lax")

    async def sweep(self) -> None:
        """For ever: forget that sessions were ended, once they would have ended by themselves."""
        await self._remembered.sweep(self._over, seconds=_SWEEP)

    def _over(self) -> list[tuple[str, str]]:
        at = self._clock()
        return [(person, _NAME + id_) for id_, (person, until) in self._ended.items() if until < at]

    def _heard(self, person: str, id_: str, value: Value | None) -> None:
        self._ended.pop(id_, None)
        if value is not None:
            self._ended[id_] = (person, float(value.get("until", 0)))

    def _heard_groups(self, person: str, rest: str, value: Value | None) -> None:
        if not rest:
            self._groups[person] = tuple(value["groups"]) if value else ()
