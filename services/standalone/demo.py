"""Something to look at: a year of real activities, the last of them played one a second so that the page lives.

All are moved in time by the same number of whole weeks, so that the last happened within a week of the first start:
what is said on the page would come years after everything else. The pace of the last is ours, too.
"""

import asyncio
import gzip
import json
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from services.common.clock import Clock, now
from services.common.envelope import rfc3339
from services.common.errors import Retry
from services.standalone.items import DATA
from services.standalone.parts import Part, State
from services.standalone.plan import Plan
from services.standalone.process import tied

FILE = DATA / "demo.jsonl.gz"
HELD_BACK = 1500
PACE = 1.0
NOTE_EVERY = 10
RETRY = 10.0
IMPORTER = (sys.executable, "-m", "services", "import")
GRACE = 10.0
_WEEK = timedelta(weeks=1)
_PUBLISHED = re.compile(rb'(?<="published":")[^"]+')


class Demo:
    """Feeds the demonstration data into `watercooler import -`, and goes on later where it was stopped."""

    def __init__(
        self, plan: Plan, part: Part, *, pace: float = PACE, importer: Sequence[str] = IMPORTER, clock: Clock = now
    ) -> None:
        self._importer = importer
        self._clock = clock
        self._plan = plan
        self._part = part
        self._pace = pace
        self._note = plan.state / "demo.json"
        self._import: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Import and play what was not yet; ends when everything has been played."""
        lines = await asyncio.to_thread(self._read)
        history, live = lines[:-HELD_BACK], lines[-HELD_BACK:]
        while True:
            try:
                if self._done() < 0:
                    await self._bring(history)
                await self._play(live)
            except (Retry, ConnectionError) as error:
                self._part.set(State.RESTARTING, f"in {RETRY:.0f} s; {error}")
                await asyncio.sleep(RETRY)
            else:
                return self._part.set(State.STOPPED, f"all of it is in: {len(lines):,} activities")

    async def stop(self) -> None:
        """Let the import end by itself with what it has; `run` must have been cancelled."""
        if self._import is not None and self._import.returncode is None:
            try:
                async with asyncio.timeout(GRACE):
                    await self._close(self._import)
            except (Retry, TimeoutError):
                with suppress(ProcessLookupError):
                    self._import.kill()
        self._part.set(State.STOPPED, self._part.detail)

    async def _bring(self, history: Sequence[bytes]) -> None:
        """Import the history from a file: quicker than line by line, and taken up again where it was stopped."""
        file = self._plan.state / "demo-history.jsonl"
        await asyncio.to_thread(file.write_bytes, b"".join(history))
        process = await self._start(str(file))
        self._part.set(State.RUNNING, f"bringing in {len(history):,} activities", process.pid)
        await self._close(process)
        self._save(0)
        file.unlink()

    async def _play(self, live: Sequence[bytes]) -> None:
        process = await self._start("-")
        for number, line in enumerate(live[self._done() :], self._done() + 1):
            await _write(process, line)
            self._part.set(State.RUNNING, f"one a second: {number:,} of {len(live):,}", process.pid)
            if number % NOTE_EVERY == 0:
                self._save(number)
            await asyncio.sleep(self._pace)
        await self._close(process)
        self._save(len(live))

    async def _start(self, file: str) -> asyncio.subprocess.Process:
        with self._plan.log("demo").open("ab") as log:
            self._import = await asyncio.create_subprocess_exec(
                *tied([*self._importer, file]),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._plan.environ(),
            )
        return self._import

    async def _close(self, process: asyncio.subprocess.Process) -> None:
        """End the input and wait until the last of it is acknowledged. Retry when the import failed."""
        assert process.stdin is not None
        process.stdin.close()
        if code := await process.wait():
            raise Retry(f"the import ended with {code}, read logs/demo.log")

    def _read(self) -> list[bytes]:
        """The lines, moved as they were at the first start."""
        lines = read()
        if not self._note.exists():
            self._write({"played": -1, "weeks": (self._clock() - _when(lines[-1])) // _WEEK})
        return moved(lines, self._noted("weeks", 0))

    def _done(self) -> int:
        """How many of those held back were played; -1 when not even the history is in."""
        return self._noted("played", -1)

    def _noted(self, name: str, otherwise: int) -> int:
        try:
            return int(json.loads(self._note.read_text())[name])
        except (OSError, ValueError, KeyError):
            return otherwise

    def _save(self, played: int) -> None:
        self._write({"played": played, "weeks": self._noted("weeks", 0)})

    def _write(self, note: dict[str, int]) -> None:
        temporary = self._note.with_suffix(".new")
        temporary.write_text(json.dumps(note) + "\n")
        temporary.replace(self._note)


async def _write(process: asyncio.subprocess.Process, line: bytes) -> None:
    assert process.stdin is not None
    if process.returncode is not None:
        raise Retry(f"the import ended with {process.returncode}, read logs/demo.log")
    process.stdin.write(line)
    await process.stdin.drain()


def moved(lines: Sequence[bytes], weeks: int) -> list[bytes]:
    """Return the lines with their times so many weeks later."""
    later = weeks * _WEEK

    def of(found: re.Match[bytes]) -> bytes:
        return rfc3339(datetime.fromisoformat(found.group().decode()) + later).encode()

    return [_PUBLISHED.sub(of, line, count=1) for line in lines]


def _when(line: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(line)["published"])


def read() -> list[bytes]:
    """The lines of the demonstration data, oldest first."""
    with gzip.open(FILE) as lines:
        return list(lines)
