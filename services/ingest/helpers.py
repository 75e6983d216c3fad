"""Processes that prepare lines beside the one that sends them: Python makes use of one processor a process only.

A helper reads batches from its standard input, answers on its standard output, and ends when its input does: so also
when the process that it helps was killed.
"""

import asyncio
import gc
import os
import pickle
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import cycle
from typing import BinaryIO

from services.common.clock import now
from services.common.errors import Retry
from services.ingest.prepare import Line, Lines, prepare_lines

MOST = 3
"""Helpers; more would wait for the one that sends."""
_SIZE = struct.Struct(">I")

Preparing = Callable[[Sequence[Line]], Awaitable[Lines]]


@asynccontextmanager
async def helpers(source: str, count: int) -> AsyncIterator[Preparing]:
    """Yield what prepares lines in ``count`` processes in turn; at 0 in this one."""
    if not count:
        yield lambda lines: _here(lines, source)
        return
    several: list[Helper] = []
    try:
        for _ in range(count):
            several += [await Helper.start(source)]
        turns = cycle(several)
        yield lambda lines: next(turns).prepare(lines)
    finally:
        await asyncio.gather(*(helper.stop() for helper in several))


def useful(size: int) -> int:
    """Return how many helpers are worth starting for a file of that many bytes."""
    return min(MOST, os.cpu_count() or 1) if size > 2_000_000 and (os.cpu_count() or 1) > 1 else 0


async def _here(lines: Sequence[Line], source: str) -> Lines:
    await asyncio.sleep(0)
    return prepare_lines(lines, source, now())


class Helper:
    """One such process."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._in = process.stdin
        self._out = process.stdout
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, source: str) -> "Helper":
        """Return a helper, started."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.ingest.helpers", source, stdin=PIPE, stdout=PIPE
            )
        )

    async def prepare(self, lines: Sequence[Line]) -> Lines:
        """Return what lines hold; raises Retry when the process is no more."""
        async with self._turn:
            try:
                packed = pickle.dumps((lines, now()))
                self._in.write(_SIZE.pack(len(packed)) + packed)
                await self._in.drain()
                (size,) = _SIZE.unpack(await self._out.readexactly(_SIZE.size))
                found: Lines = pickle.loads(await self._out.readexactly(size))  # noqa: S301 - our own process said it
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise Retry("a process that prepares lines has ended; import the file again to go on") from error
            return found

    async def stop(self) -> None:
        """End it."""
        self._in.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


def work(given: BinaryIO, answers: BinaryIO, source: str) -> None:
    """Answer batches until there are no more."""
    while len(head := given.read(_SIZE.size)) == _SIZE.size:
        (size,) = _SIZE.unpack(head)
        if len(asked := given.read(size)) < size:
            return  # whoever asked is no more
        lines, at = _unpacked(asked)
        packed = pickle.dumps(prepare_lines(lines, source, at))
        answers.write(_SIZE.pack(len(packed)) + packed)
        answers.flush()
        gc.collect()


def _unpacked(packed: bytes) -> tuple[Sequence[Line], datetime]:
    found: tuple[Sequence[Line], datetime] = pickle.loads(packed)  # noqa: S301 - from the process that started us
    return found


if __name__ == "__main__":
    gc.disable()  # but between batches: what is made is in no circles, and to look for those takes a fifth of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that is helped, which ends us
    with suppress(BrokenPipeError):  # nobody waits for the answer any more
        work(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1])
    os._exit(0)  # without another try to give the answer
