"""Mail addresses of people: kept sealed with this installation's key, so that the log holds none in the clear."""

from collections.abc import Mapping
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Any

from services.common import logs
from services.gateway.deliveries.keys import Key
from services.gateway.remembered import Remembered
from services.gateway.sealed import Sealer

_NAME = "address"
_YEARS = 20 * 366 * 86_400.0
_LONGEST = 254
_log = logs.get(__name__)


def address_in(text: object) -> str:
    """Return a mail address, empty for what is none."""
    if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
        return ""
    try:
        found = Address(addr_spec=text.strip())
    except (ValueError, IndexError, HeaderParseError):
        return ""
    return found.addr_spec if found.username and "." in found.domain else ""


def masked(address: str) -> str:
    """Return an address as it may be shown: enough to know one's own by."""
    user, _, domain = address.partition("@")
    return f"{user[:1]}...@{domain}" if address else ""


class Mailboxes:
    """Keeps and gives addresses. ``claim`` is the claim of the identity provider that holds one."""

    def __init__(self, remembered: Remembered, key: Key, claim: str) -> None:
        self._remembered = remembered
        self._key = key
        self._claim = claim

    async def learn(self, person: str, claims: Mapping[str, Any]) -> None:
        """Take the address from the claims of a login, unless they say that nobody has verified it."""
        address = address_in(claims.get(self._claim))
        if address and claims.get("email_verified") is not False:
            await self.put(person, address)

    async def put(self, person: str, address: str) -> None:
        """Keep an address. Raises Unpublished where Kafka does not take it."""
        if self.of(person) != address:
            sealed = Sealer(self._key()).seal(_purpose(person), {"address": address}, _YEARS)
            await self._remembered.put(person, _NAME, {"sealed": sealed})

    def of(self, person: str) -> str:
        """Return somebody's address, empty where none is known."""
        kept = self._remembered.get(person, _NAME)
        if kept is None:
            return ""
        opened = Sealer(self._key()).opened(_purpose(person), str(kept.get("sealed", "")))
        if opened is None:
            _log.warning("a mail address was sealed with another key and is not known any more", person=person)
            return ""
        return str(opened["address"])


def _purpose(person: str) -> str:
    return f"address of {person}"
