"""How much one address may ask of the webhook server, whoever it is: counted before anything is read or verified."""

import ipaddress
from collections import OrderedDict

from aiolimiter import AsyncLimiter

_MOST = 10_000
"""Addresses remembered; the one that was silent longest is forgotten first."""


class Addresses:
    """A budget of deliveries a second for each address, bounded in memory."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._budgets: OrderedDict[str, AsyncLimiter] = OrderedDict()

    async def let_in(self, address: str) -> bool:
        """Count one delivery from an address; False, without waiting, when it has had its share of this second."""
        name = network(address)
        budget = self._budgets.setdefault(name, AsyncLimiter(self._per_second, 1))
        self._budgets.move_to_end(name)
        if len(self._budgets) > _MOST:
            self._budgets.popitem(last=False)
        return await spend(budget)


async def spend(budget: AsyncLimiter) -> bool:
    """Count one against a budget; False, without waiting and without counting, when it is used up."""
    if not budget.has_capacity():
        return False
    await budget.acquire()
    return True


def network(address: str) -> str:
    """Return what one sender can be told by: an IPv4 address, or the 64 bits of IPv6 that a sender chooses not."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
