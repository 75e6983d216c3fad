"""``account.v1`` in memory, as the people behind the accounts, and whose person has changed since the start."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.common import topics
from services.common.bus import Bus, Received
from services.common.view import DecodedView
from services.enrich.people import Known, People

Moved = Mapping[str, str]
"""Accounts (and hashes of addresses, which may stand for accounts that nobody has told of) of which another person is
answered now, with the one that was answered before."""


class AccountView(DecodedView):
    """Keeps ``people`` up to date: ``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.ACCOUNT)
        self.people = People()
        self._moved: dict[str, dict[str, str]] = {}

    def moved_by(self, records: Iterable[Received]) -> Moved | None:
        """Return whose person the records have changed, and forget it; None when one came before the start: unknown."""
        keys, known = set(), True
        for record in records:
            keys.add(record.key)
            known = known and record.offset >= self.loaded.get(record.partition, 0)
        # The first answer is the one that the log was written with.
        moved: dict[str, str] = {}
        for key in sorted(keys):
            moved = self._moved.pop(key, {}) | moved
        return moved if known else None

    def take(self, received: Received, record: dict[str, Any] | None) -> None:
        """Take what is said of an account, or that it is forgotten."""
        account, said = received.key, _known(record) if record else None
        hashes = {self.people.hash_of(account), said.address_hash if said else ""} - {""}
        before = self.people.answers(account, hashes)
        if said is None:
            self.people.forget(account)
        else:
            self.people.apply(said)
        if received.offset >= self.loaded.get(received.partition, received.offset + 1):
            after = self.people.answers(account, hashes)
            moved = {one: person for one, person in before.items() if after.get(one) != person}
            if moved:
                self._moved[account] = moved | self._moved.get(account, {})


def _known(record: dict[str, Any]) -> Known:
    return Known(
        account=record["account"],
        person=record["person"],
        handle=record["handle"],
        address_hash=record["addressHash"],
        automated=record["automated"],
        evidence=record["evidence"],
        source=record["source"],
    )
