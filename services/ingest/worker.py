"""One worker a source: the past of each container, what happens now, and a look back now and then, side by side."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from services.common import logs, metrics
from services.common.errors import Retry, Stop, WatercoolerError
from services.common.model import Container
from services.ingest.connector import Batch, Connector
from services.ingest.cursors import Cursor, Cursors
from services.ingest.intake import Intake

LIVE = "live"
_SHORTEST, _LONGEST = 1.0, 300.0
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between two looks back, and between two looks at containers and who may open them."""

    reconcile: float = 3600.0
    access: float = 60.0


class Worker:
    """Reads one open source for ever. Retry pauses it and Stop ends it; neither touches another source."""

    def __init__(
        self, source: str, connector: Connector, intake: Intake, cursors: Cursors, pace: Pace | None = None
    ) -> None:
        self.source = source
        self._connector = connector
        self._intake = intake
        self._cursors = cursors
        self._pace = pace or Pace()
        self.problem = ""
        """Why it does not read just now; empty while it does."""

    async def run(self) -> None:
        """Read until cancelled; returns when a person has to mend something first (see ``problem``)."""
        pause = _SHORTEST
        while True:
            try:
                await self._read()
            except Stop as error:
                self._troubled(error)
                _log.error("source stopped", source=self.source, reason=str(error))
                return
            except WatercoolerError as error:
                self._troubled(error)
                after = (error.after if isinstance(error, Retry) else None) or pause * random.uniform(0.5, 1)  # noqa: S311
                _log.warning("source paused", source=self.source, reason=str(error), seconds=round(after, 1))
                await asyncio.sleep(after)
                pause = min(_LONGEST, pause * 2)
            else:
                return

    def _troubled(self, error: WatercoolerError) -> None:
        self.problem = str(error)
        metrics.SOURCE_STATE.labels(self.source).set(0)

    def _well(self) -> None:
        self.problem = ""
        metrics.SOURCE_STATE.labels(self.source).set(1)

    async def _read(self) -> None:
        """All ways side by side; the first error ends the others and is raised."""
        await self._look_around()
        self._well()
        ways = [
            self._live(),
            self._past(),
            self._every(self._pace.access, self._look_around),
            self._every(self._pace.reconcile, self._look_back),
        ]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_around(self) -> list[Container]:
        """Publish who may open what, and who is there: before any activity, and again and again."""
        containers = list(await self._connector.discover())
        access = [await self._connector.access(one) for one in containers]
        accounts = await self._connector.accounts()
        await self._intake.take(self.source, Batch(access=access, accounts=accounts))
        return containers

    async def _live(self) -> None:
        await self._through(LIVE, self._connector.live(self._cursors.get(self.source, LIVE).position))

    async def _past(self) -> None:
        """Backfill what is there, and what turns up later."""
        await self._backfill()
        await self._every(self._pace.access, self._backfill)

    async def _backfill(self) -> None:
        for container in await self._connector.discover():
            stored = self._cursors.get(self.source, container.id)
            if not stored.complete:
                _log.info("backfill", source=self.source, container=container.id)
                await self._through(container.id, self._connector.backfill(container, stored.position))
                position = self._cursors.get(self.source, container.id).position
                await self._cursors.put(self.source, container.id, Cursor(position=position, complete=True))

    async def _look_back(self) -> None:
        for container in await self._connector.discover():
            async for batch in self._connector.reconcile(container):
                await self._intake.take(self.source, batch)

    async def _through(self, way: str, batches: AsyncIterator[Batch]) -> None:
        async for batch in batches:
            await self._intake.take(self.source, batch)
            self._well()
            if batch.cursor or batch.complete:
                await self._cursors.put(self.source, way, Cursor(position=batch.cursor, complete=batch.complete))

    async def _every(self, seconds: float, look: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await look()
