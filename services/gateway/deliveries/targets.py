"""Where a rule may send to. Pure: names are resolved, and what they resolve to is judged, when it is connected to."""

from ipaddress import ip_address

from aiohttp.helpers import is_ip_address
from yarl import URL

from services.common.http_rules import is_public
from services.gateway.loopback import is_loopback

PORTS = frozenset({443, 8443})
LONGEST = 1_000


class NoTarget(Exception):
    """A rule may not send there; the sentence says why."""


def target(text: str, *, loopback: bool) -> URL:
    """Return the address of a webhook; raises NoTarget.

    With ``loopback`` (for development) this machine may be sent to, also by http and at any port.
    """
    try:
        url = URL(text)
        host, port = url.host or "", url.port
    except ValueError as error:
        raise NoTarget(f"{text[:60]!r} is no URL: {error}") from None
    if not host or len(text) > LONGEST:
        raise NoTarget(f"a webhook needs a URL of at most {LONGEST} characters, such as https://hooks.example/in")
    if url.user is not None or url.password is not None or url.fragment:
        raise NoTarget("the URL of a webhook has no user, password or fragment: what it sends is signed instead")
    if loopback and url.scheme in ("http", "https") and is_loopback(host):
        return url
    if url.scheme != "https":
        raise NoTarget("a webhook is sent by https only")
    if port not in PORTS:
        raise NoTarget(f"a webhook is sent to the ports {', '.join(map(str, sorted(PORTS)))} only")
    if is_loopback(host) or (is_ip_address(host) and not is_public(host)):
        raise NoTarget(f"{host} is an address inside, which is not asked")
    return url


def allowed(address: str, *, loopback: bool) -> bool:
    """Return whether an address that a name resolved to may be connected to."""
    return is_public(address) or (loopback and ip_address(address.split("%")[0]).is_loopback)
