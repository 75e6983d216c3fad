"""Who is behind an account: configured links first, then equal verified addresses, never names.

Pure. An account of type person without a link is its own person. Accounts with the same hash of a verified address
are one person: the one that a configured link gives to any of them, else the account whose id sorts first (so that
the answer does not depend on the order in which the accounts became known).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.common.model import Account, AccountType


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One record of ``account.v1``, as far as it matters here."""

    account: str
    person: str = ""
    handle: str = ""
    address_hash: str = ""
    automated: bool = False
    evidence: str = ""
    source: str = ""

    @property
    def configured(self) -> bool:
        """Whether an administrator said who it is (an empty person undoes a link)."""
        return self.evidence == "configured"


class People:
    """The newest record per account, and what follows from all of them."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._by_address: dict[str, set[str]] = {}
        self._by_handle: dict[tuple[str, str], str] = {}
        self._by_person: dict[str, set[str]] = {}

    def apply(self, record: Known) -> None:
        """Take a record; the last one of an account wins."""
        self.forget(record.account)
        self._known[record.account] = record
        if record.person:
            self._by_person.setdefault(record.person, set()).add(record.account)
        if record.address_hash:
            self._by_address.setdefault(record.address_hash, set()).add(record.account)
        if record.handle:
            self._by_handle[record.source, record.handle.lower()] = record.account

    def forget(self, account: str) -> None:
        """Take a tombstone."""
        old = self._known.pop(account, None)
        if old is None:
            return
        _discard(self._by_address, old.address_hash, account)
        _discard(self._by_person, old.person, account)
        if self._by_handle.get((old.source, old.handle.lower())) == account:
            del self._by_handle[old.source, old.handle.lower()]

    def hash_of(self, account: str) -> str:
        """Return the keyed hash of an account's verified address; empty where none is known."""
        known = self._known.get(account)
        return known.address_hash if known else ""

    def answers(self, account: str, hashes: Iterable[str]) -> dict[str, str]:
        """Return the person behind an account, behind all known ones with these hashes, and behind the hashes alone."""
        accounts = {account}.union(*(self._by_address.get(one, ()) for one in hashes))
        return {
            **{one: self.person_of_id(one) for one in accounts},
            **{one: self._by_address_hash(one, _LAST) for one in hashes},
        }

    def automated(self, account: str) -> bool:
        """Return whether the account is known as a bot's."""
        known = self._known.get(account)
        return known is not None and known.automated

    def person_of(self, account: Account) -> str:
        """Return the person behind an account that acts; empty for all but accounts of people."""
        if account.type is not AccountType.PERSON or self.automated(account.id):
            return ""
        return self._person(account.id, account.address_hash)

    def person_of_id(self, account_id: str) -> str:
        """Return the person behind an account of which only the id is at hand; empty for known bots."""
        return "" if self.automated(account_id) else self._person(account_id, "")

    def accounts_of(self, person: str) -> tuple[str, ...]:
        """Return the accounts that are known to be this person's."""
        return (person, *sorted(self._by_person.get(person, ())))

    def account_by_handle(self, source: str, handle: str) -> str:
        """Return the id of the account with this handle at this source, or an empty string."""
        return self._by_handle.get((source, handle.lower()), "")

    def _person(self, account_id: str, address_hash: str) -> str:
        known = self._known.get(account_id)
        if known is not None:
            if known.configured:
                return known.person or account_id
            if known.person and known.person != account_id:
                return known.person
            address_hash = known.address_hash or address_hash
        return self._by_address_hash(address_hash, account_id) if address_hash else account_id

    def _by_address_hash(self, address_hash: str, account_id: str) -> str:
        group = [self._known[one] for one in sorted(self._by_address.get(address_hash, ()))]
        # Somebody whom a configured link keeps apart is not in the group.
        group = [one for one in group if not (one.configured and not one.person)]
        linked = next((one.person for one in group if one.configured), "")
        return linked or min([account_id, *(one.account for one in group)])


_LAST = "\U0010ffff"
"""Sorts behind every id of an account."""


def _discard(groups: dict[str, set[str]], name: str, account: str) -> None:
    group = groups.get(name)
    if group is not None:
        group.discard(account)
        if not group:
            del groups[name]
