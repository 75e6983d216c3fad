"""Brings what is owed to the receivers of rules: in order, with pauses that grow, and not for ever."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from services.common import logs
from services.common.bus import Unpublished
from services.common.clock import Clock, now
from services.common.errors import Reject, Retry, Stop
from services.gateway.deliveries.courier import Tools
from services.gateway.deliveries.owed import Debt
from services.gateway.deliveries.standing import Hook
from services.gateway.deliveries.webhook import Result
from services.gateway.desk import Desk
from services.gateway.items import activity_of

_LOOK = 1.0
_AT_ONCE = 16
_FIRST, _LONGEST = 5.0, 3_600.0
_UNSEEN = timedelta(minutes=10)
"""An activity that the index does not have by then is not waited for any longer."""
_log = logs.get(__name__)


class _NotYet(Exception):
    """The activity cannot be read for now."""


class Collector:
    """Run ``run`` as a part of the service. ``owns`` says of which people it is this process's business."""

    def __init__(
        self, desk: Desk, tools: Tools, owns: Callable[[str], bool], *, hours: float, clock: Clock = now
    ) -> None:
        self._desk = desk
        self._tools = tools
        self._owns = owns
        self._patience = timedelta(hours=hours)
        self._clock = clock
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._failures: dict[tuple[str, str], int] = {}
        self._due: dict[tuple[str, str], datetime] = {}

    async def run(self) -> None:
        """For ever: look what is due."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK)

    async def look(self) -> None:
        """Bring what is due now; a rule whose receiver fails has to wait."""
        mine = [line for line in self._tools.owed.owing() if self._owns(line[0]) and self._is_due(line)]
        await asyncio.gather(*(self._settle(*line) for line in mine))

    def _is_due(self, line: tuple[str, str]) -> bool:
        first = self._tools.owed.of(*line)[0]
        return max(first.due, self._due.get(line, first.due)) <= self._clock()

    async def _settle(self, person: str, name: str) -> None:
        async with self._turns:
            try:
                await self._bring(person, name)
            except Unpublished as error:
                _log.warning("what a rule owes stays owed for now", rule=name, reason=str(error))
                self._wait((person, name), None)

    async def _bring(self, person: str, name: str) -> None:
        """Bring one after the other, up to a pause's length, until one is not taken."""
        tools, line = self._tools, (person, name)
        until = self._clock() + timedelta(seconds=_FIRST)
        while (debts := tools.owed.of(person, name)) and self._clock() < until:
            hook = tools.standing.hook(person, name)
            if hook is None:  # taken away, or switched off
                await tools.owed.paid(person, debts)
                break
            result = await self._tried(hook, debts[0])
            if result is None:
                self._wait(line, None)
                return
            if result.failed:
                await self._failed(hook, debts[0], result)
                return
            await tools.owed.paid(person, debts[:1])
            self._failures.pop(line, None)
        if not tools.owed.count(person, name):
            self._failures.pop(line, None)
            self._due.pop(line, None)

    async def _tried(self, hook: Hook, debt: Debt) -> Result | None:
        """Return what became of it; None where it cannot be read for now. What may not be opened any more is done."""
        try:
            body = await self._body(hook, debt)
        except _NotYet:
            return None
        if body is None:
            return Result()
        return await self._tools.webhooks.send(self._tools.sending(hook, debt.activity, body))

    async def _body(self, hook: Hook, debt: Debt) -> bytes | None:
        asker = self._tools.as_person(hook.person)
        try:
            found = (await self._desk.get(asker, "activities", [debt.activity])).get(debt.activity)
        except (Retry, Reject, Stop, TimeoutError) as error:
            _log.warning("what a rule owes cannot be read for now", rule=hook.name, reason=str(error))
            raise _NotYet from error
        if found is not None:
            return orjson.dumps(activity_of(found))
        if self._clock() - debt.at < _UNSEEN:
            raise _NotYet  # the index may not have come to it
        return None

    async def _failed(self, hook: Hook, debt: Debt, result: Result) -> None:
        if result.gone:
            await self._tools.owed.give_up(hook, "its receiver says that it is gone for good (410)")
        elif self._clock() - debt.at > self._patience:
            hours = f"{self._patience.total_seconds() / 3600:g} h"
            await self._tools.owed.give_up(hook, f"its receiver took nothing for {hours}; lastly {result.failed}")
        else:
            self._wait((hook.person, hook.name), result.after)

    def _wait(self, line: tuple[str, str], asked: float | None) -> None:
        """Wait twice as long as the last time, at most an hour, each line a little differently; as long as asked."""
        failures = self._failures[line] = self._failures.get(line, 0) + 1
        pause = min(_LONGEST, _FIRST * 2 ** min(failures - 1, 20)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads
        asked = min(asked or 0.0, self._patience.total_seconds())
        self._due[line] = self._clock() + timedelta(seconds=max(pause, asked))
