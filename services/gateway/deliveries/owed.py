"""What receivers have not taken yet: kept in ``setting.v1``, so that neither a restart nor another process loses it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex

from services.common import logs
from services.common.clock import Clock, now
from services.gateway.deliveries.standing import Hook
from services.gateway.remembered import Remembered, Value
from services.gateway.rules.own import PREFIX as RULE

MOST = 1_000
"""Deliveries that one rule may owe; with more it is switched off."""
NOTICE = "notice/"
"""Names of settings that hold what a person is to be told."""
_PREFIX = "owed/"
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """One activity that a rule's receiver is still to get, not before ``due``."""

    name: str
    activity: str
    at: datetime
    due: datetime


class Owed:
    """What is owed to the receivers of everybody's rules, oldest first."""

    def __init__(self, remembered: Remembered, clock: Clock = now) -> None:
        self._remembered = remembered
        self._clock = clock
        self._debts: dict[tuple[str, str], dict[str, Debt]] = {}
        self._rules: dict[tuple[str, str], str] = {}
        remembered.listen(_PREFIX, self._heard)

    def of(self, person: str, rule: str) -> Sequence[Debt]:
        """Return what a rule owes, oldest first."""
        return sorted(self._debts.get((person, rule), {}).values(), key=lambda one: (one.at, one.name))

    def count(self, person: str, rule: str) -> int:
        """Return how much a rule owes."""
        return len(self._debts.get((person, rule), ()))

    def owing(self) -> Sequence[tuple[str, str]]:
        """Return the rules that owe something: person and name."""
        return tuple(self._debts)

    async def owe(self, hook: Hook, activities: Sequence[str], after: float | None = None) -> None:
        """Keep what a receiver did not take, for ``after`` seconds at least. Raises Unpublished.

        Switches the rule off where it owes too much already.
        """
        if self.count(hook.person, hook.name) + len(activities) > MOST:
            await self.give_up(hook, f"its receiver takes less than happens: more than {MOST} deliveries wait for it")
            return
        at = self._clock()
        due = at + timedelta(seconds=after or 0)
        # A step of a microsecond keeps the order in which they happened.
        values = {
            _name(hook.name, one): {
                "rule": hook.name,
                "activity": one,
                "at": (at + timedelta(microseconds=n)).isoformat(),
                "due": due.isoformat(),
            }
            for n, one in enumerate(activities)
        }
        await self._remembered.put_all((hook.person, _PREFIX + name, value) for name, value in values.items())
        for name, value in values.items():  # known here at once, and once more when it comes back
            self._heard(hook.person, name, value)

    async def paid(self, person: str, debts: Iterable[Debt]) -> None:
        """Forget what was taken, or is owed no more. Raises Unpublished."""
        gone = [one.name for one in debts]
        await self._remembered.put_all((person, _PREFIX + name, None) for name in gone)
        for name in gone:
            self._heard(person, name, None)

    async def give_up(self, hook: Hook, reason: str) -> None:
        """Switch a rule off, forget what it owes, and tell its owner. Raises Unpublished."""
        at = self._clock().isoformat()
        rule = self._remembered.get(hook.person, RULE + hook.name)
        text = f"Your rule {hook.name} was switched off at {at}: {reason}. What it held for since can be read again."
        stopped = None if rule is None else rule | {"on": False, "stopped": {"at": at, "reason": reason}}
        _log.warning("a rule was switched off", person=hook.person, rule=hook.name, reason=reason)
        await self._remembered.put_all(
            [
                (hook.person, RULE + hook.name, stopped),
                (hook.person, NOTICE + token_hex(8), {"at": at, "text": text}),
            ]
        )
        await self.paid(hook.person, self.of(hook.person, hook.name))

    def _heard(self, person: str, name: str, value: Value | None) -> None:
        if value is None:
            rule = self._rules.pop((person, name), "")
            mine = self._debts.get((person, rule), {})
            mine.pop(name, None)
            if not mine:
                self._debts.pop((person, rule), None)
            return
        at, due = datetime.fromisoformat(value["at"]), datetime.fromisoformat(value["due"])
        self._rules[person, name] = value["rule"]
        debts = self._debts.setdefault((person, value["rule"]), {})
        debts[name] = Debt(name=name, activity=value["activity"], at=at, due=due)


def _name(rule: str, activity: str) -> str:
    return sha256("\0".join((rule, activity)).encode()).hexdigest()[:32]
