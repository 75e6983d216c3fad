"""Everybody's rules that send something out, as ``setting.v1`` has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.common.search.conditions import Condition
from services.gateway.remembered import Remembered, Value
from services.gateway.rules.own import PREFIX, Own, read

_SENDING = ("webhook", "mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook of a rule: for what was published from ``since`` on, when it was switched on."""

    person: str
    name: str
    url: str
    salt: str
    since: datetime
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What one person's rules send, and what they mute."""

    hooks: Mapping[str, Hook]
    mailing: Condition | None
    muted: Condition


class Standing:
    """Knows who sends what. Rules are read when somebody asks, not when they change."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._changed: set[str] = set()
        self._people: dict[str, Outgoing] = {}
        remembered.listen(PREFIX, self._heard)

    def of(self, person: str) -> Outgoing | None:
        """Return what a person's rules send; None for nothing."""
        self._look()
        return self._people.get(person)

    def everybody(self) -> Mapping[str, Outgoing]:
        """Return who sends something, by person."""
        self._look()
        return self._people

    def hooks(self) -> Sequence[Hook]:
        """Return all webhooks."""
        return [hook for one in self.everybody().values() for hook in one.hooks.values()]

    def hook(self, person: str, name: str) -> Hook | None:
        """Return the webhook of a rule; None where it has none, or was switched off."""
        found = self.of(person)
        return found.hooks.get(name) if found else None

    def _heard(self, person: str, name: str, value: Value | None) -> None:
        self._changed.add(person)

    def _look(self) -> None:
        while self._changed:
            person = self._changed.pop()
            found = self._read(person)
            if found is None:
                self._people.pop(person, None)
            else:
                self._people[person] = found

    def _read(self, person: str) -> Outgoing | None:
        kept = self._remembered.of(person, PREFIX)
        if not any(one.get("on") and _may_send(one) for one in kept.values()):  # spares reading the language
            return None
        own = Own.of(self._remembered, person)
        mailing = own.doing("mail")
        return Outgoing(
            hooks={hook.name: hook for hook in _hooks(person, kept)},
            mailing=mailing if mailing.parts else None,
            muted=own.doing("mute"),
        )


def _may_send(value: Value) -> bool:
    text = str(value.get("rule", "")).lower()
    return any(word in text for word in _SENDING)


def _hooks(person: str, kept: Mapping[str, Value]) -> Iterator[Hook]:
    for name, value in kept.items():
        rule = read(value, person) if value.get("on") and _may_send(value) else None
        if rule is not None and rule.webhook and "salt" in value:
            yield Hook(
                person=person,
                name=name,
                url=rule.webhook,
                salt=str(value["salt"]),
                since=datetime.fromisoformat(value["since"]),
                condition=rule.condition,
            )
