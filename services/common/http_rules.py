"""What an HTTP answer means for who asked, and which addresses may be asked. Nothing here does I/O."""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from yarl import URL

from services.common.errors import Reject, Retry, Stop, WatercoolerError

LONGEST_PAUSE = 86_400.0
"""Seconds: who asks for more is asked again in a day, so that nothing that is sent makes a time that there is not."""


def shown(url: URL) -> str:
    """Return a URL as it may be logged: without user, query and fragment, where secrets stand."""
    return str(url.with_user(None).with_query(None).with_fragment(None)) if url.absolute else url.path


def shown_text(url: str) -> str:
    """As ``shown``, for the text of a setting; what is no http(s) URL may hold anything and is not shown."""
    try:
        parsed = URL(url)
    except ValueError:
        return "(not a URL)"
    return shown(parsed) if parsed.absolute and parsed.scheme in ("http", "https") else "(not a URL)"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the pause in seconds that an answer asks for, None where it asks for none that can be understood.

    Reads Retry-After (RFC 9110, section 10.2.3: seconds or a date) and, where requests have run out, the epoch in
    X-RateLimit-Reset (GitHub, Gitea). At most ``LONGEST_PAUSE``.
    """
    asked = headers.get("Retry-After", "").strip()
    if _is_whole(asked):
        return _bounded(float(asked))
    if asked:
        return _until(asked, now)
    reset = headers.get("X-RateLimit-Reset", "")
    if headers.get("X-RateLimit-Remaining") == "0" and _is_whole(reset):
        return _bounded(float(reset) - now.timestamp())
    return None


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit()  # str.isdigit alone takes "²", which is no number for float


def _bounded(seconds: float) -> float:
    return min(LONGEST_PAUSE, max(0.0, seconds))


def _until(date: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(date)
        return _bounded(((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def failure(
    source: str, setting: str, url: URL, status: int, headers: Mapping[str, str], now: datetime
) -> WatercoolerError | None:
    """Return what an answer's status means: None is success, otherwise Retry, Reject or Stop.

    ``setting`` is what a person mends when the source refuses us, such as "token".
    """
    if status < 300 or status == 304:
        return None
    what = f"source {source}: {shown(url)} answered {status}"
    after = retry_after(headers, now)
    if status in (408, 425, 429) or status >= 500 or (status == 403 and after is not None):
        return Retry(f"{what}, it is asked again later", after=after)
    if status in (401, 403, 407):
        return Stop(f"{what}, it does not let us in; check the setting {setting!r} of this source")
    if status < 400:
        return Stop(f"{what} and leads elsewhere; check the setting 'url' of this source")
    return Reject(what)


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that the internet uses; Python calls more of it global, such as fec0::/10 and ::127.0.0.1."""


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet (not loopback, private, link-local, multicast...).

    An IPv6 address that stands for one of IPv4 (mapped, 6to4, Teredo, NAT64) is judged by that one. What is no address
    in the usual form is not: the system's resolver takes ``127.1`` and ``2130706433`` for this machine.
    """
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_global(ip)
    inner = _within(ip)
    return all(map(_is_global, inner)) if inner else ip in _UNICAST and _is_global(ip)


def _is_global(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast


def _within(ip: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address leads to."""
    if ip in _NAT64:
        return (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF),)
    return tuple(one for one in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if one is not None)


def may_follow(url: URL, origins: frozenset[URL]) -> bool:
    """Return whether a request may go to ``url``: to a known origin, or to its encrypted form on the same host."""
    origin = url.origin()
    plain = origin.with_scheme("http") if origin.scheme == "https" and origin.is_default_port() else origin
    return origin in origins or plain in origins
