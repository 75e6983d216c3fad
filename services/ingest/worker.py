"""One worker a source: the past of each container, what happens now, and a look back now and then, side by side."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from services.common import logs, metrics
from services.common.errors import Retry, Stop, WatercoolerError
from services.ingest.connector import Batch, Connector
from services.ingest.cursors import Cursor, Cursors
from services.ingest.intake import Intake

LIVE = "live"
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: between two looks back, between two looks at containers and who may open them, and of the pauses after
    an error, which double from the first to the longest.
    """

    reconcile: float = 3600.0
    access: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 300.0


Open = Callable[[], AbstractAsyncContextManager[Connector]]


class Worker:
    """Opens one source and reads it for ever. Whatever it meets touches no other source."""

    def __init__(self, source: str, opened: Open, intake: Intake, cursors: Cursors, pace: Pace | None = None) -> None:
        self.source = source
        self._opened = opened
        self._intake = intake
        self._cursors = cursors
        self._pace = pace or Pace()
        self.connector: Connector | None = None
        """The source while it is open."""
        self.problem = "it is being opened"
        """Why it does not read just now; empty while it does."""
        self.stopped = False
        """Whether a person has to mend something before it can read again."""

    async def run(self) -> None:
        """Open and read until cancelled; returns when a person has to mend something first (see ``problem``)."""
        await self._patiently(self._open)

    async def _open(self) -> None:
        async with self._opened() as connector:
            self.connector = connector
            try:
                await self._patiently(lambda: self._read(connector))
            finally:
                self.connector = None

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try again after pauses that grow, until it ends by itself or by a Stop."""
        pause = self._pace.first_pause
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                return await work()
            except Stop as error:
                self.stopped = True
                self._troubled(str(error))
                _log.error("source stopped", source=self.source, reason=str(error))
                return None
            except WatercoolerError as error:
                self._troubled(str(error))
                asked = error.after if isinstance(error, Retry) else None
            except Exception as error:  # a mistake in one connector must not end the service that reads the others
                self._troubled(f"a mistake in its connector ({type(error).__name__}), please report it; see the log")
                _log.exception("connector failed", source=self.source)
                asked = None
            if loop.time() - begun > self._pace.longest_pause:
                pause = self._pace.first_pause
            after = asked or pause * random.uniform(0.5, 1)  # noqa: S311
            _log.warning("source paused", source=self.source, reason=self.problem, seconds=round(after, 1))
            await asyncio.sleep(after)
            pause = min(self._pace.longest_pause, pause * 2)

    def _troubled(self, problem: str) -> None:
        self.problem = problem
        metrics.SOURCE_STATE.labels(self.source).set(0)

    def _well(self) -> None:
        self.problem = ""
        metrics.SOURCE_STATE.labels(self.source).set(1)

    async def _read(self, connector: Connector) -> None:
        """All ways side by side; the first error ends the others and is raised."""
        await self._look_around(connector)
        self._well()
        ways = [
            self._live(connector),
            self._past(connector),
            self._every(self._pace.access, lambda: self._look_around(connector)),
            self._every(self._pace.reconcile, lambda: self._look_back(connector)),
        ]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_around(self, connector: Connector) -> None:
        """Publish who may open what, and who is there: before any activity, and again and again."""
        access = [await connector.access(one) for one in await connector.discover()]
        accounts = await connector.accounts()
        await self._intake.take(self.source, Batch(access=access, accounts=accounts))

    async def _live(self, connector: Connector) -> None:
        await self._through(LIVE, connector.live(self._cursors.get(self.source, LIVE).position))

    async def _past(self, connector: Connector) -> None:
        """Backfill what is there, and what turns up later."""
        await self._backfill(connector)
        await self._every(self._pace.access, lambda: self._backfill(connector))

    async def _backfill(self, connector: Connector) -> None:
        for container in await connector.discover():
            stored = self._cursors.get(self.source, container.id)
            if not stored.complete:
                _log.info("backfill", source=self.source, container=container.id)
                await self._through(container.id, connector.backfill(container, stored.position))
                position = self._cursors.get(self.source, container.id).position
                await self._cursors.put(self.source, container.id, Cursor(position=position, complete=True))

    async def _look_back(self, connector: Connector) -> None:
        for container in await connector.discover():
            async for batch in connector.reconcile(container):
                await self._intake.take(self.source, batch)

    async def _through(self, way: str, batches: AsyncIterator[Batch]) -> None:
        async for batch in batches:
            await self._intake.take(self.source, batch)
            self._well()
            if batch.cursor or batch.complete:
                await self._cursors.put(self.source, way, Cursor(position=batch.cursor, complete=batch.complete))

    async def _every(self, seconds: float, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await look()
