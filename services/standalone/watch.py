"""Ask the services how they are: ready or what is missing, records a second, lag."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from services.standalone import ports
from services.standalone.parts import Part, State

PAUSE = 1.0
_TIMEOUT = aiohttp.ClientTimeout(total=3)
_COUNTED = ("watercooler_records_total", "watercooler_stream_events_total")
_UNREACHABLE = (aiohttp.ClientError, TimeoutError, ValueError)


@dataclass(slots=True)
class Watch:
    """One service: its part, its port, and what was counted last."""

    part: Part
    port: int
    reads_sources: bool = False
    handled: float | None = None
    at: float = field(default_factory=time.monotonic)

    async def look(self, session: aiohttp.ClientSession) -> None:
        """Ask once and write the answer into the part; a part that does not run is left alone."""
        if self.part.state not in (State.RUNNING, State.STARTING) or self.part.pid is None:
            self.handled = None
            return
        try:
            missing = await self._missing(session)
            handled, lag = measure(await self._text(session, "metrics"))
            note = await self._sources(session) if self.reads_sources else ""
        except _UNREACHABLE:
            self.part.set(State.STARTING, pid=self.part.pid)
            return
        self.part.state = State.STARTING if missing else State.RUNNING
        self.part.detail, self.part.answers = missing or note, True
        self._count(handled)
        self.part.lag = lag

    def _count(self, handled: float) -> None:
        now = time.monotonic()
        if self.handled is not None and handled >= self.handled:
            self.part.rate = (handled - self.handled) / (now - self.at)
        self.handled, self.at = handled, now

    async def _missing(self, session: aiohttp.ClientSession) -> str:
        async with session.get(f"http://{ports.HOST}:{self.port}/readyz") as response:
            content = await response.json(content_type=None)
            return "" if response.status == 200 else str(content.get("missing", "not ready"))

    async def _sources(self, session: aiohttp.ClientSession) -> str:
        """What is wrong with which source; the others are read meanwhile."""
        async with session.get(f"http://{ports.HOST}:{self.port}/sources") as response:
            sources = await response.json()
        return "; ".join(f"{name}: {source['problem']}" for name, source in sources.items() if source["problem"])

    async def _text(self, session: aiohttp.ClientSession, path: str) -> str:
        async with session.get(f"http://{ports.HOST}:{self.port}/{path}") as response:
            return await response.text()


def measure(exposition: str) -> tuple[float, int | None]:
    """Records handled so far and records of lag (None when not told), from metrics in Prometheus' text form.

    A record passes several stages: the busiest one counts.
    """
    stages: dict[str, float] = {}
    lag: float | None = None
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name in _COUNTED:
                stage = sample.labels.get("stage", "")
                stages[stage] = stages.get(stage, 0.0) + sample.value
            elif sample.name == "watercooler_lag_records":
                lag = (lag or 0.0) + sample.value
    return max(stages.values(), default=0.0), None if lag is None else int(lag)


async def watch(watches: Iterable[Watch]) -> None:
    """Look at every service once a second, for ever."""
    watched = list(watches)
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        while True:
            await asyncio.gather(*(one.look(session) for one in watched))
            await asyncio.sleep(PAUSE)
