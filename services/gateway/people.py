"""Who is who: accounts and names of people, from ``account.v1`` and ``person.v1``, in memory."""

from typing import Any

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.view import View

_log = logs.get(__name__)


class Directory:
    """``load`` first, then run ``follow_accounts`` and ``follow_people`` as parts of the service."""

    def __init__(self, bus: Bus) -> None:
        self._person_of: dict[str, str] = {}
        self._accounts: dict[str, set[str]] = {}
        self._names: dict[str, str] = {}
        self._account_names: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._handles: dict[str, str] = {}
        self._called: dict[str, set[str]] = {}
        self._codecs = {"account": Codec("account"), "person": Codec("person")}
        self._account_view = View(bus, topics.ACCOUNT.name(bus.prefix), self._take_account)
        self._person_view = View(bus, topics.PERSON.name(bus.prefix), self._take_person)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when a topic or Kafka is missing."""
        await self._account_view.load()
        await self._person_view.load()

    async def follow_accounts(self) -> None:
        """Go on reading accounts for ever."""
        await self._account_view.follow()

    async def follow_people(self) -> None:
        """Go on reading people for ever."""
        await self._person_view.follow()

    async def stop(self) -> None:
        """Close."""
        await self._account_view.stop()
        await self._person_view.stop()

    def accounts_of(self, person: str) -> tuple[str, ...]:
        """Return the ids of a person's accounts, sorted."""
        return tuple(sorted(self._accounts.get(person, ())))

    def person_of(self, account: str) -> str:
        """Return the person behind an account, empty where none is known."""
        return self._person_of.get(account, "")

    def name_of(self, person: str) -> str:
        """Return a person's name, else that of one of their accounts; empty where none is known."""
        named = (self._account_names.get(account, "") for account in self.accounts_of(person))
        return self._names.get(person, "") or next(filter(None, named), "")

    def unit_of(self, person: str) -> str:
        """Return the outermost unit of a person; empty where none is known, and for who has opted out."""
        return self._units.get(person, "")

    def members(self, unit: str) -> frozenset[str]:
        """Return the people of a unit, those who have opted out left out; it looks at everybody."""
        return frozenset(person for person, theirs in self._units.items() if theirs == unit)

    def called(self, handle: str) -> frozenset[str]:
        """Return the people with an account of this handle, at whatever source."""
        accounts = self._called.get(handle.lower(), ())
        return frozenset(self._person_of[one] for one in accounts if one in self._person_of)

    def people(self) -> tuple[str, ...]:
        """Return the ids of all people known, sorted by name."""
        known = {*self._accounts, *self._names}
        return tuple(sorted(known, key=lambda one: ((self.name_of(one) or one).lower(), one)))

    def link(self, account: str, person: str, name: str = "") -> None:
        """Take it that a person is behind an account; an empty person undoes it."""
        before = self._person_of.pop(account, None)
        self._account_names.pop(account, None)
        if before is not None:
            self._accounts[before].discard(account)
            if not self._accounts[before]:
                del self._accounts[before]
        if person:
            self._person_of[account] = person
            self._accounts.setdefault(person, set()).add(account)
            if name:
                self._account_names[account] = name

    def _take_account(self, received: Received) -> None:
        record = self._read("account", received)
        self._call(received.key, "" if record is None else record["handle"])
        if record is None or record["automated"]:
            self.link(received.key, "")
        else:
            self.link(received.key, record["person"], record["name"])

    def _call(self, account: str, handle: str) -> None:
        before = self._handles.pop(account, "")
        if before:
            self._called[before].discard(account)
            if not self._called[before]:
                del self._called[before]
        if handle:
            self._handles[account] = handle.lower()
            self._called.setdefault(handle.lower(), set()).add(account)

    def _take_person(self, received: Received) -> None:
        record = self._read("person", received)
        self._units.pop(received.key, None)
        if record is not None and record["units"] and not record["optOut"]:
            self._units[received.key] = record["units"][0]
        self._names.pop(received.key, None)
        if record is not None and record["name"]:
            self._names[received.key] = record["name"]

    def _read(self, subject: str, received: Received) -> dict[str, Any] | None:
        if received.value is None:
            return None
        try:
            return self._codecs[subject].decode(received.value)
        except Reject as error:
            _log.warning("a record cannot be read and counts as absent", subject=subject, reason=str(error))
            return None
