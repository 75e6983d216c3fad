"""One input partition: its batches are decoded, compared, enriched and stored, one transaction each."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from time import time

from services.common import metrics
from services.common.access import AccessView
from services.common.bus import Outgoing, Received
from services.common.clock import now
from services.common.deadletters import DeadLetters, Flood
from services.common.errors import Reject, Stop
from services.enrich.memory import Memory
from services.enrich.transaction import Refused, Transactions
from services.enrich.work import Result, Worker

SERVICE = "enrich"
ORDINARY = 65_536
"""Bytes of a record that every topic has to take. One that refuses these is set wrong: nothing is given up for it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What all lanes of a worker share. ``executor`` has one thread: the steps' knowledge is not for two at once."""

    worker: Worker
    access: AccessView
    executor: Executor
    flood: Flood
    prefix: str


class _Collected:
    """A publisher that keeps records for the transaction."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    async def publish(self, records: Iterable[Outgoing]) -> None:
        self.records += records

    async def stop(self) -> None:
        return


class Lane:
    """Handles the batches of one partition, one after another."""

    def __init__(self, transactions: Transactions, memory: Memory, tools: Tools, position: int) -> None:
        self._transactions = transactions
        self._memory = memory
        self._tools = tools
        self._busy = asyncio.Lock()
        self._closed = False
        self.position = position

    async def handle(self, records: Sequence[Received]) -> None:
        """Return once the batch is stored and its offset committed; a closed lane drops it.

        Raises Stop when going on would do harm, Fenced or Broken when the partition has to be joined anew.
        """
        async with self._busy:
            if not self._closed:
                await self._handle(records)

    async def _handle(self, records: Sequence[Received]) -> None:
        tools, loop = self._tools, asyncio.get_running_loop()
        decoded = await loop.run_in_executor(tools.executor, tools.worker.decode, records)
        if any(activity and tools.access.get(activity.audience.container) is None for _, activity in decoded):
            # A container's record is published before its first activity, but may not have arrived here yet.
            await tools.access.caught_up()
        seen = self._memory.seen
        results = await loop.run_in_executor(tools.executor, tools.worker.finish, decoded, seen)
        letters, stop = await self._give_up(results)
        await self._store(results, letters)
        await loop.run_in_executor(None, self._memory.save)
        self.position = results[-1].record.offset + 1
        _count(results)
        if stop:
            raise stop

    async def _give_up(self, results: list[Result]) -> tuple[list[Outgoing], Stop | None]:
        """Return letters for what cannot be processed; on a flood ``results`` end with the record that was too much."""
        letters = _Collected()
        dead = DeadLetters(letters, SERVICE, prefix=self._tools.prefix, flood=self._tools.flood)
        for number, result in enumerate(results):
            if result.error is None:
                dead.good()
                continue
            try:
                await dead.put(result.record, result.error)
            except Stop as stop:
                del results[number + 1 :]
                return letters.records, stop
        return letters.records, None

    async def _store(self, results: Sequence[Result], letters: list[Outgoing]) -> None:
        alone = False
        while True:
            outgoing = [one for result in results for one in (result.enriched, result.public) if one is not None]
            try:
                behind = await self._transactions.publish(
                    [*outgoing, *letters], results[-1].record.offset + 1, alone=alone
                )
            except Refused as refused:
                await self._transactions.restart()
                if alone:
                    await self._put_aside(refused.record, results, letters)
                alone = True
                continue
            hashes = [result.hash for result in results if result.enriched]
            self._memory.add(hashes, behind.get(self._tools.worker.enriched, 0))
            return

    async def _put_aside(self, refused: Outgoing, results: Sequence[Result], letters: list[Outgoing]) -> None:
        size = len(refused.value or b"")
        if size <= ORDINARY:
            raise Stop(
                f"topic {refused.topic} refuses a record of {size} bytes; set its max.message.bytes to 1048588 or more"
                " (`watercooler topics diff` shows what differs) and start again: nothing was skipped"
            )
        result = next(one for one in results if refused in (one.enriched, one.public))
        if refused is result.enriched:
            result.enriched = None
        result.public = None
        error = Reject(f"{size} bytes are more than topic {refused.topic} takes; the original is where the letter says")
        collected = _Collected()
        dead = DeadLetters(collected, SERVICE, prefix=self._tools.prefix, flood=self._tools.flood)
        await dead.put(replace(result.record, value=None), error)
        letters += collected.records

    async def close(self) -> None:
        """Let the batch at hand end, then give the partition up."""
        async with self._busy:
            self._closed = True
        await self._transactions.stop()
        await asyncio.to_thread(self._memory.save, after=1_000)


def _count(results: Sequence[Result]) -> None:
    stored = sum(1 for result in results if result.enriched)
    failed = sum(1 for result in results if result.error)
    for outcome, number in (("done", stored), ("failed", failed), ("repeated", len(results) - stored - failed)):
        if number:
            metrics.RECORDS.labels(SERVICE, "enrich", outcome).inc(number)
    last = next((result for result in reversed(results) if result.enriched), None)
    if last is not None:
        metrics.FRESHNESS.labels("enriched").observe((now() - last.plain["recorded"]).total_seconds())
    newest = results[-1].record
    metrics.LAG_SECONDS.labels(SERVICE, newest.partition.topic).set(time() - newest.timestamp / 1000)
