"""`watercooler import`: a file of activities in the import form (JSON lines, gzip or not, or standard input) -> Kafka.

A file's cursor is how many lines were acknowledged, under a fingerprint of its beginning: an import that was stopped
goes on there. Lines that are wrong go to the dead letters with their number, and the rest goes on.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO

from services.common.collecting import seldom_collected
from services.common.errors import Reject, Stop
from services.common.lines import GZIP, LONGEST_LINE, STDIN, bounded_line, broken_is_said, opened
from services.ingest import helpers
from services.ingest.connector import Failure
from services.ingest.cursors import Cursor, Cursors
from services.ingest.helpers import Preparing
from services.ingest.intake import Intake
from services.ingest.prepare import Line, Lines

_LINES = 2_000
_BYTES = 4 * 1024 * 1024
_AT_ONCE = 1 << 20
_PACKING = 6
"""How much smaller gzip makes such lines, about."""
_HEAD = 65_536
_CURSOR_EVERY = 1.0
"""Seconds; what comes twice after a sudden end is dropped behind us."""
_TOLD = 10
_BROKEN = ("what was taken in", "get it again and import it once more")


@dataclass
class Progress:
    """What an import has done so far. ``mistakes`` holds the first few, in words."""

    read: int = 0
    published: int = 0
    rejected: int = 0
    skipped: int = 0
    bytes: int = 0
    mistakes: list[str] = field(default_factory=list)

    def count(self, found: Lines) -> None:
        """Add what some lines held."""
        self.read = found.last
        self.bytes += found.size
        self.published += len(found.prepared.records)
        self.rejected += len(found.wrong)
        self.mistakes += [reason for _, reason in found.wrong[: _TOLD - len(self.mistakes)]]


Told = Callable[[Progress], None]


async def import_file(
    path: str,
    source: str,
    intake: Intake,
    cursors: Cursors,
    *,
    restart: bool = False,
    told: Told = lambda _: None,
    beside: int | None = None,
) -> Progress:
    """Publish a file's activities; returns once all are acknowledged. Raises Stop when the file cannot be read.

    ``beside`` is how many processes prepare lines; by default as many as the file's size is worth.
    """
    way = f"file {fingerprint(path)}" if path != STDIN else ""
    begin = 0 if restart or not way else int(cursors.get(source, way).position or 0)
    progress = Progress(read=begin, skipped=begin)
    several = helpers.useful(_size(path)) if beside is None else beside
    with opened(path) as lines, seldom_collected():
        await asyncio.to_thread(_skip, lines, begin)
        async with helpers.helpers(source, several) as preparing:
            stored = time.monotonic()
            async for found in _ahead(_batches(lines, begin), preparing, 2 * several):
                await intake.take_prepared(source, found.prepared, _failures(found))
                progress.count(found)
                if way and time.monotonic() - stored > _CURSOR_EVERY:
                    await cursors.put(source, way, Cursor(position=str(progress.read)))
                    stored = time.monotonic()
                told(progress)
    if way and progress.read > begin:
        await cursors.put(source, way, Cursor(position=str(progress.read)))
    return progress


def _failures(found: Lines) -> list[Failure]:
    return [
        Failure(key=f"line {number}", value=line[:LONGEST_LINE], error=Reject(reason))
        for (number, line), reason in found.wrong
    ]


def _size(path: str) -> int:
    """Roughly the bytes to be read; 0 from standard input."""
    if path == STDIN:
        return 0
    with Path(path).open("rb") as file:
        return Path(path).stat().st_size * (_PACKING if file.read(2) == GZIP else 1)


def fingerprint(path: str) -> str:
    """Return what tells a file from another: a hash of its first 64 KiB (it may have grown since)."""
    try:
        with Path(path).open("rb") as file:
            return blake2b(file.read(_HEAD), digest_size=8).hexdigest()
    except OSError as error:
        raise Stop(f"{path} cannot be read ({error.strerror})") from error


async def _ahead(batches: AsyncIterator[list[Line]], preparing: Preparing, ahead: int) -> AsyncIterator[Lines]:
    """Yield what batches hold, in order, while up to ``ahead`` further ones are being prepared."""
    pending: deque[asyncio.Future[Lines]] = deque()
    try:
        async for batch in batches:
            pending.append(asyncio.ensure_future(preparing(batch)))
            if len(pending) > ahead:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for one in pending:
            one.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _batches(lines: BinaryIO, begin: int) -> AsyncIterator[list[Line]]:
    """Yield numbered lines, as many as are there; reading waits in a thread, for a pipe may be slow."""
    read = begin
    while batch := await asyncio.to_thread(_some, lines):
        yield list(enumerate(batch, read + 1))
        read += len(batch)


def _skip(lines: BinaryIO, count: int) -> None:
    with broken_is_said(*_BROKEN):
        for _ in range(count):
            if not bounded_line(lines):
                return


def _some(lines: BinaryIO) -> list[bytes]:
    """Return the next lines; from a pipe those that are there, but at least one."""
    with broken_is_said(*_BROKEN):
        if not isinstance(lines, BufferedReader) or lines.seekable():
            return list(_until(lines))
        # One read gives what has come; a look ahead would wait for what has not.
        found = lines.read1(_AT_ONCE)
        if found and not found.endswith(b"\n"):
            found += bounded_line(lines)
        return BytesIO(found).readlines()


def _until(lines: BinaryIO) -> Iterator[bytes]:
    """Yield lines up to a number and a size, so that long ones do not fill memory."""
    size = count = 0
    while count < _LINES and size < _BYTES and (line := bounded_line(lines)):
        yield line
        count, size = count + 1, size + len(line)
