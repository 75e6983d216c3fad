"""What comes from this machine, straight and meant for it: all that demo mode answers."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from services.gateway.problems import Problem

_FORWARDING = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host", "true-client-ip"})
_FORWARDING_TOO = ("x-forwarded-", "cf-", "fastly-", "x-envoy-", "x-amzn-")
"""Headers, and beginnings of headers, that a proxy adds: one of them means that the asker may sit anywhere."""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Return whether nobody can listen in on what is sent there: it is https, or does not leave this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def refuse_strangers(request: web.Request, origins: Collection[str] = ()) -> None:
    """Raise Problem unless the request came straight from this machine, for this machine.

    ``origins`` are those of pages that may ask all the same. A foreign Host means that a page elsewhere resolved its
    own name to us (DNS rebinding); a foreign Origin, that it posts to us.
    """
    through = next((name for name in request.headers if _by_a_proxy(name.lower())), None)
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


def _by_a_proxy(name: str) -> bool:
    return name in _FORWARDING or name.startswith(_FORWARDING_TOO)


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _elsewhere(why: str) -> Problem:
    return Problem(403, "not-here", f"Demo mode answers this machine only; the request was refused since {why}.")
