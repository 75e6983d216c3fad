"""Whose address counts where a proxy stands in between."""

import pytest
from aiohttp.test_utils import make_mocked_request

from services.common.errors import Stop
from services.gateway.addresses import Addresses


class Transport:
    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._address, 1) if name == "peername" else default


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("2001:db8::1", "198.51.100.1", "198.51.100.1"),
    ],
)
def test_only_our_own_proxies_are_believed(remote: str, forwarded: str, address: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers=headers, transport=Transport(remote))
    assert Addresses(["10.0.0.0/8", "2001:db8::1"]).of(request) == address
    assert Addresses([]).of(request) == remote


def test_what_is_no_network_is_said() -> None:
    with pytest.raises(Stop, match="gateway_proxies: proxy"):
        Addresses(["proxy.example"])
