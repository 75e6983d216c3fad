"""From which address a request comes, where proxies of ours stand in between."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web

from services.common.errors import Stop

_LONGEST = 2_000


class Addresses:
    """Knows our proxies; what anybody else says about addresses is not believed. Raises Stop for what is no network."""

    def __init__(self, proxies: Sequence[str]) -> None:
        self._proxies = [_network(one) for one in proxies]

    def of(self, request: web.Request) -> str:
        """Return the address nearest to us that is no proxy of ours; empty where none is known."""
        here = request.remote or ""
        passed = ",".join(request.headers.getall("X-Forwarded-For", []))[-_LONGEST:].split(",")
        while self._is_ours(here) and passed:
            before = passed.pop().strip()
            if not _is_address(before):
                break
            here = before
        return here

    def _is_ours(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise Stop(f"gateway_proxies: {text} is no address and no network such as 10.0.0.0/8") from error
