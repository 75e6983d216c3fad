"""Keep one process running: started, started again with growing pauses when it ends, stopped when asked."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from services.common import logs
from services.common.errors import Retry, Stop
from services.standalone.parts import Part, State
from services.standalone.process import Server

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
SETTLED = 60.0
"""Seconds after which an end counts as the first one again."""

_log = logs.get(__name__)


class Keeper:
    """Keeps what `start` starts running, and tells of it in `part`."""

    def __init__(
        self,
        part: Part,
        start: Callable[[], Awaitable[Server]],
        explain: Callable[[Server], str] = lambda server: server.last_words(),
        begun: State = State.RUNNING,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`begun` is what it is once `start` has returned; `explain` says why it has ended."""
        self.part = part
        self._begun = begun
        self._sleep = sleep
        self.up = asyncio.Event()
        self._start = start
        self._explain = explain
        self._server: Server | None = None

    @property
    def server(self) -> Server:
        """The process of now; only after `up` was set."""
        assert self._server is not None, f"{self.part.name} has not been started"
        return self._server

    async def first(self) -> None:
        """Start it. Stop or Retry when that fails: at the very start a person had better know at once."""
        self.part.set(State.STARTING)
        self._server = await self._start()
        self.part.set(self._begun, pid=self._server.pid)
        self.up.set()

    async def keep(self) -> None:
        """Start it, unless it was, and never return: start it again whenever it has ended."""
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            try:
                if self._server is None:
                    await self.first()
                reason = await self._end()
            except (Stop, Retry) as error:
                reason = str(error)
            if time.monotonic() - started > SETTLED:
                pause = FIRST_PAUSE
            self._server = None
            self.part.restarts += 1
            self.part.set(State.RESTARTING, f"in {pause:.0f} s; {reason}")
            _log.warning("ended", part=self.part.name, pause=pause)
            await self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def stop(self) -> None:
        """Stop it. `keep` must not be running any more."""
        if self._server is not None:
            self.part.set(State.STOPPING)
            await self._server.stop()
        self.part.set(State.STOPPED)

    async def _end(self) -> str:
        code = await self.server.ended()
        how = f"ended with {code}" if code >= 0 else f"was ended by signal {-code}"
        return f"{how}: {self._explain(self.server)}"
