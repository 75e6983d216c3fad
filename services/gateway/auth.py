"""Who is asking. ``demo``: anybody on this machine may look at the page as any person. ``none``: nobody may read."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from services.common.access import EVERYONE
from services.common.errors import Stop
from services.gateway.problems import Problem

COOKIE = "watercooler_as"
HEADER = "X-Watercooler-As"
PARAMETER = "as"
_LONGEST = 512
_FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
"""Headers that a proxy adds. In demo mode one of them means that the asker may sit anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody who asks. ``person`` is empty for one who is just anybody of the organisation."""

    person: str
    principals: tuple[str, ...]


class Accounts(Protocol):
    """Knows the accounts of people."""

    def accounts_of(self, person: str) -> Iterable[str]:
        """Return the ids of the person's accounts."""


class Auth:
    """Names the asker of a request. Raises Stop at once when demo mode would listen beyond this machine."""

    def __init__(
        self, mode: Literal["demo", "none"], host: str, accounts: Accounts, *, origins: Collection[str] = ()
    ) -> None:
        if mode == "demo" and not is_loopback(host):
            raise Stop(
                f"auth = demo lets anybody be anybody and so listens on loopback only, not on {host};"
                " set host = 127.0.0.1, or auth = none"
            )
        self.mode = mode
        self._accounts = accounts
        self._origins = frozenset(origins)

    def asker(self, request: web.Request) -> Asker:
        """Return who asks; raises Problem where nobody may."""
        self.admits(request)
        return self.as_person(_named(request))

    def admits(self, request: web.Request) -> None:
        """Raise Problem where nobody may ask, whoever it is."""
        if self.mode == "none":
            raise Problem(
                401,
                "who-asks",
                "Nobody may read here: auth is none; set WATERCOOLER_AUTH=demo to look at it on this machine.",
            )
        refuse_strangers(request, self._origins)

    def as_person(self, person: str) -> Asker:
        """Return the asker that a person is."""
        if not person:
            return Asker(person="", principals=(EVERYONE,))
        own = dict.fromkeys((EVERYONE, person, *self._accounts.accounts_of(person)))
        return Asker(person=person, principals=tuple(own))

    def again(self, asker: Asker) -> Asker | None:
        """Return who an asker is by now; None for one who may not read any more. Asked for every open stream."""
        return None if self.mode == "none" else self.as_person(asker.person)


def _named(request: web.Request) -> str:
    given = request.query.get(PARAMETER) or request.headers.get(HEADER) or request.cookies.get(COOKIE) or ""
    if len(given) > _LONGEST or not given.isprintable():
        raise Problem(400, "bad-parameter", f"as: a person id of at most {_LONGEST} printable characters is expected.")
    return given


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_strangers(request: web.Request, origins: Collection[str] = ()) -> None:
    """Raise Problem unless the request came straight from this machine, for this machine.

    ``origins`` are those of pages that may ask all the same. A foreign Host means that a page elsewhere resolved its
    own name to us (DNS rebinding); a foreign Origin, that it posts to us.
    """
    through = next((name for name in _FORWARDING if name in request.headers), None)
    if through:
        raise _elsewhere(f"it came through a proxy ({through})")
    host = request.headers.get("Host", "")
    if not is_loopback(_hostname(host)):
        raise _elsewhere("its Host is not this machine")
    origin = request.headers.get("Origin")
    if origin and origin.partition("://")[2] != host and origin not in origins:
        raise _elsewhere("its Origin is another site")
    if request.remote and not is_loopback(request.remote):
        raise _elsewhere("it came from another machine")


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _elsewhere(why: str) -> Problem:
    return Problem(403, "not-here", f"Demo mode answers this machine only; the request was refused since {why}.")
