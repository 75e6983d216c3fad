"""Bulk requests: gathered by number, bytes and time, a few at once, tried again for what the index was too busy for.

Two requests under way never hold the same activity or object: with equal versions the last one in the log must win.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Protocol

from services.common import logs, metrics
from services.common.bus import Partition, Received, Unpublished
from services.common.clock import now
from services.common.errors import Reject, Retry, Stop
from services.common.search import Outcome, Search, Verdict, Write
from services.indexer.pressure import Pressure, pause

_log = logs.get(__name__)
_SLICE = 50
"""Records that are made into documents before others get a turn on the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one request: records, their estimated bytes, and seconds that the first one waits."""

    records: int = 2_000
    size: int = 5 * 1024 * 1024
    linger: float = 0.5
    linger_idle: float = 0.05
    """Where no request is under way, waiting for company only costs freshness."""
    at_once: int = 2


@dataclass(slots=True, eq=False)
class Entry:
    """A record to be written, and whom to tell when that is done (or it was put aside)."""

    record: Received
    done: Callable[[], None]
    open: int = 0
    given_up: bool = False
    taken_in: datetime | None = None

    @property
    def names(self) -> tuple[str, str]:
        """The documents that it will touch, as far as can be told without reading it: activity and object."""
        return self.record.key, self.record.headers.get("ce_subject", b"").decode(errors="replace")

    @property
    def size(self) -> int:
        """Estimated bytes in the request: two documents, both with text, one with the whole activity."""
        return 2_000 + 4 * len(self.record.value or b"")


@dataclass(slots=True)
class _Gathering:
    entries: list[Entry] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    size: int = 0
    since: float = 0.0

    def add(self, entry: Entry) -> None:
        if not self.entries:
            self.since = monotonic()
        self.entries.append(entry)
        self.names.update(name for name in entry.names if name)
        self.size += entry.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a record asks to be written, and when the activity in it was taken in (None where it holds none)."""

    writes: Sequence[Write]
    taken_in: datetime | None = None


Task = tuple[Entry, Write]


class Letters(Protocol):
    """Where records go that can never be written (``services.common.deadletters``)."""

    async def put(self, origin: Received, error: Exception, *, attempt: int) -> None:
        """Return once it is stored; raise Stop on a flood."""

    def good(self, count: int) -> None:
        """Count records that were written."""


class Writer:
    """Takes records while there is ``room``, and writes them. Its first failure stands in ``failure``."""

    def __init__(
        self,
        search: Search,
        make: Callable[[Received], Made],
        letters: Letters,
        *,
        before: Callable[[], Awaitable[None]],
        limits: Limits | None = None,
        pressure: Pressure | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._search = search
        self._make = make
        self._letters = letters
        self._before = before
        self._limits = limits or Limits()
        self._jitter = jitter
        self.pressure = pressure or Pressure()
        self._gathering = _Gathering()
        self._held = 0
        self._under_way: dict[asyncio.Task[None], set[str]] = {}
        self.failure: BaseException | None = None
        self.trouble = ""
        """One sentence while the index does not take what it is given, else empty."""

    @property
    def room(self) -> int:
        """Return how many more records may be added now."""
        if self._gathering.size >= self._limits.size:
            return 0
        return self._limits.records - len(self._gathering.entries)

    def add(self, entry: Entry) -> None:
        """Take a record."""
        self._gathering.add(entry)
        self._hold(1)

    def _hold(self, more: int) -> None:
        self._held += more
        metrics.BULK_HELD.set(self._held)

    def _finished(self, entry: Entry) -> None:
        self._hold(-1)
        entry.done()

    def wait(self) -> float:
        """Return the seconds until what is gathered is due."""
        if not self._gathering.entries:
            return self._limits.linger
        return max(0.0, self._gathering.since + self._linger() - monotonic())

    def pump(self) -> None:
        """Start what is due, as far as there is a place for it."""
        while self.failure is None and self._due() and len(self._under_way) < self._limits.at_once:
            if not all(self._gathering.names.isdisjoint(names) for names in self._under_way.values()):
                return  # its turn comes when they are done
            gathered, self._gathering = self._gathering, _Gathering()
            task = asyncio.create_task(self._write_all(gathered.entries))
            self._under_way[task] = gathered.names
            task.add_done_callback(self._ended)

    def _linger(self) -> float:
        return self._limits.linger if self._under_way else self._limits.linger_idle

    def _due(self) -> bool:
        return bool(self._gathering.entries) and (self.room <= 0 or self.wait() <= 0)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        if not task.cancelled() and task.exception() is not None and self.failure is None:
            self.failure = task.exception()
        self.pump()

    def drop(self, partitions: frozenset[Partition]) -> None:
        """Forget what is gathered, and not under way, of these partitions."""
        kept, self._gathering = self._gathering, _Gathering()
        self._hold(-len(kept.entries))
        for entry in kept.entries:  # the others are counted again
            if entry.record.partition not in partitions:
                self.add(entry)

    async def drain(self, seconds: float) -> None:
        """Wait until the requests under way are done, at most so long."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    async def finish(self) -> None:
        """Write all that was added, however long it takes; raise what failed."""
        while (self._gathering.entries or self._under_way) and self.failure is None:
            self.pump()
            await self.drain(self.wait() or 0.01)
            if not self._under_way:
                await asyncio.sleep(min(self.wait(), 0.01))
        if self.failure is not None:
            raise self.failure

    async def stop(self) -> None:
        """Cancel what is under way."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._hold(-self._held)

    async def _write_all(self, entries: Sequence[Entry]) -> None:
        await self._ready()
        tasks: list[Task] = []
        for number, entry in enumerate(entries, start=1):
            tasks += await self._made(entry)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        attempt = 0
        while tasks:
            first, later = tasks[: self.pressure.window], tasks[self.pressure.window :]
            again, after = await self._try(first, attempt)
            if again:
                attempt += 1
                self.pressure.too_much()
                await asyncio.sleep(max(after, pause(attempt, self._jitter)))
            else:
                attempt = 0
                self.pressure.went_well()
            tasks = again + later

    async def _ready(self) -> None:
        """Wait until all that was said about access before now is known here, however long Kafka takes."""
        attempt = 0
        while True:
            try:
                return await self._before()
            except Retry as error:
                attempt += 1
                self._in_trouble(str(error))
                await asyncio.sleep(pause(attempt, self._jitter))

    async def _made(self, entry: Entry) -> list[Task]:
        """Return the writes of one record; a record that cannot be read is put aside."""
        try:
            made = self._make(entry.record)
        except Reject as error:
            await self._put_aside(entry, error, 1)
            self._finished(entry)
            return []
        entry.open, entry.taken_in = len(made.writes), made.taken_in
        if not made.writes:
            self._finished(entry)
        return [(entry, write) for write in made.writes]

    async def _put_aside(self, entry: Entry, error: Exception, attempt: int) -> None:
        if not entry.given_up:
            entry.given_up = True
            try:
                await self._letters.put(entry.record, error, attempt=attempt)
            except Unpublished as failed:
                raise Retry(f"a record could neither be written nor put aside: {failed}") from failed
            metrics.RECORDS.labels("indexer", "index", "rejected").inc()

    async def _try(self, tasks: list[Task], attempt: int) -> tuple[list[Task], float]:
        """Write; return what has to be written again, and the pause that was asked for."""
        began = monotonic()
        try:
            outcomes = await self._search.write([write for _, write in tasks])
        except Retry as error:
            self._in_trouble(str(error))
            return tasks, error.after or 0.0
        finally:
            metrics.BULK_SECONDS.observe(monotonic() - began)
        return await self._answered(tasks, outcomes, attempt), 0.0

    async def _answered(self, tasks: list[Task], outcomes: Sequence[Outcome], attempt: int) -> list[Task]:
        """Act on the outcome of each write; return those to be written again."""
        again: list[Task] = []
        held: set[tuple[str, str]] = set()
        for (entry, write), outcome in zip(tasks, outcomes, strict=True):
            name = (write.kind, write.id)
            if outcome.verdict is Verdict.FATAL:
                raise Stop(f"the index refuses all writes: {outcome.reason}; mend that and start again")
            if outcome.verdict is Verdict.PRESSURE or name in held:
                held.add(name)  # what follows on the same document must come after it again
                again.append((entry, write))
                continue
            if outcome.verdict is Verdict.REJECTED:
                await self._put_aside(entry, Reject(outcome.reason), attempt + 1)
            self._one_done(entry, outcome.verdict)
        self._settle(again, next((o.reason for o in outcomes if o.verdict is Verdict.PRESSURE), ""))
        return again

    def _one_done(self, entry: Entry, verdict: Verdict) -> None:
        entry.open -= 1
        if entry.open == 0:
            if not entry.given_up:
                metrics.RECORDS.labels("indexer", "index", verdict.value).inc()
                self._letters.good(1)
                if entry.taken_in is not None:
                    metrics.FRESHNESS.labels("index").observe((now() - entry.taken_in).total_seconds())
            self._finished(entry)

    def _settle(self, again: Sequence[Task], reason: str) -> None:
        if again:
            metrics.BULK_PRESSURE.inc(len(again))
            self._in_trouble(reason)
        elif self.trouble:
            _log.info("the index takes writes again")
            self.trouble = ""

    def _in_trouble(self, reason: str) -> None:
        if not self.trouble:
            _log.warning("the index does not take all writes; they wait", reason=reason)
        self.trouble = reason
