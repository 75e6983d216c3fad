"""The rules of one person that are switched on, and what they make of a page. Nothing is stored of what they do."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from services.common import logs
from services.common.search import Page, Query
from services.common.search.conditions import Condition, Either, Every, Has, Not
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.remembered import Remembered, Value
from services.gateway.rules.language import NoRule, Rule, parse

PREFIX = "rule/"
"""Names of settings that hold rules."""
MOST = 30
"""Rules of one person."""
DAYS = 30
"""How far a dry run looks back."""
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Own:
    """What somebody's rules ask for, in the order of their names."""

    rules: Sequence[Rule] = ()

    @classmethod
    def of(cls, remembered: Remembered, person: str) -> "Own":
        """Return the rules that a person has switched on."""
        kept = remembered.of(person, PREFIX)
        found = (read(value, person) for value in kept.values() if value.get("on"))
        return cls(tuple(rule for rule in found if rule is not None))

    def without_muted(self, where: Condition) -> Condition:
        """Return a condition that leaves out what the rules mute."""
        muted = self.doing("mute")
        return Every((where, Not(muted))) if muted.parts else where

    def doing(self, kind: str) -> Either:
        """Return what holds of what the rules do something with: notify, mute or mail."""
        return Either(tuple(rule.condition for rule in self.rules if rule.does(kind)))

    async def marks(self, desk: Desk, asker: Asker, ids: Sequence[str]) -> Mapping[str, list[str]]:
        """Return the labels that the rules give to some of the activities, by id."""
        marking = [rule for rule in self.rules if rule.does("mark")]
        if not marking or not ids:
            return {}
        pages = await asyncio.gather(*(desk.find(asker, _among(ids, rule.condition)) for rule in marking))
        found: defaultdict[str, list[str]] = defaultdict(list)
        for rule, page in zip(marking, pages, strict=True):
            labels = [one.label for one in rule.actions if one.kind == "mark"]
            for hit in page.hits:
                found[hit.id] += [label for label in labels if label not in found[hit.id]]
        return found


def read(value: Value, person: str) -> Rule | None:
    """Return a rule as it is kept; None (and a line in the log) for one that cannot be read any more."""
    try:
        return _parsed(str(value.get("rule", "")), person)
    except NoRule as error:  # kept by a version with another language
        _log.warning("a rule cannot be read and does nothing", reason=str(error))
        return None


@lru_cache(maxsize=10_000)
def _parsed(text: str, person: str) -> Rule:
    """As ``parse``: live streams ask every second."""
    return parse(text, person)


def _among(ids: Sequence[str], condition: Condition) -> Query:
    where = Every((Has("id", tuple(ids)), condition))
    return Query(kind="activities", principals=(), where=where, size=len(ids))


async def tried(desk: Desk, asker: Asker, rule: Rule, *, size: int, since: datetime | None) -> Page:
    """Return what a rule holds for since a time, or ever, newest first, as far as the asker may open it."""
    return await desk.find(asker, Query(kind="activities", principals=(), where=rule.condition, since=since, size=size))
