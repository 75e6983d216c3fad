"""`watercooler import`: a file of activities in the import form (JSON lines, gzip or not, or standard input) -> Kafka.

A file's cursor is how many lines were acknowledged, under a fingerprint of its beginning: an import that was stopped
goes on there. Lines that are wrong go to the dead letters with their number, and the rest goes on.
"""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BufferedReader, BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from services.common.activitystreams import parse_line
from services.common.errors import Reject, Stop
from services.common.model import Activity
from services.ingest.connector import Batch, Failure
from services.ingest.cursors import Cursor, Cursors
from services.ingest.intake import Intake

STDIN = "-"
LARGEST_LINE = 8 * 1024 * 1024
_LINES = 2_000
_AT_ONCE = 1 << 20
_GZIP = b"\x1f\x8b"
_HEAD = 65_536
_PARSED_AT_ONCE = 200


@dataclass
class Progress:
    """What an import has done so far. ``mistakes`` holds the first few, in words."""

    read: int = 0
    published: int = 0
    rejected: int = 0
    skipped: int = 0
    bytes: int = 0
    mistakes: list[str] = field(default_factory=list)


Told = Callable[[Progress], None]


async def import_file(
    path: str, source: str, intake: Intake, cursors: Cursors, *, restart: bool = False, told: Told = lambda _: None
) -> Progress:
    """Publish a file's activities; returns once all are acknowledged. Raises Stop when the file cannot be read."""
    way = f"file {fingerprint(path)}" if path != STDIN else ""
    progress = Progress()
    begin = 0 if restart or not way else int(cursors.get(source, way).position or 0)
    with opened(path) as lines:
        async for numbered in _batches(lines, begin, progress):
            await intake.take(source, await _parsed(numbered, source, progress))
            if way:
                await cursors.put(source, way, Cursor(position=str(progress.read)))
            told(progress)
    return progress


def fingerprint(path: str) -> str:
    """Return what tells a file from another: a hash of its first 64 KiB (it may have grown since)."""
    try:
        with Path(path).open("rb") as file:
            return blake2b(file.read(_HEAD), digest_size=8).hexdigest()
    except OSError as error:
        raise Stop(f"{path} cannot be read ({error.strerror})") from error


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Yield a file's lines as bytes, unpacked where it is gzip."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        raw = Path(path).open("rb")  # noqa: SIM115 - closed below, but opened where the error is explained
    except OSError as error:
        raise Stop(f"{path} cannot be read ({error.strerror})") from error
    with raw:
        packed = raw.peek(2)[:2] == _GZIP
        yield cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw


async def _batches(lines: BinaryIO, begin: int, progress: Progress) -> AsyncIterator[list[tuple[int, bytes]]]:
    """Yield numbered lines, as many as are there; reading waits in a thread, for a pipe may be slow."""
    await asyncio.to_thread(_skip, lines, begin)
    progress.read = progress.skipped = begin
    while batch := await asyncio.to_thread(_some, lines):
        yield list(enumerate(batch, progress.read + 1))


def _skip(lines: BinaryIO, count: int) -> None:
    for _ in islice(lines, count):
        pass


def _some(lines: BinaryIO) -> list[bytes]:
    """Return the next lines; from a pipe those that are there, but at least one."""
    try:
        if not isinstance(lines, BufferedReader) or lines.seekable():
            return list(islice(lines, _LINES))
        # One read gives what has come; a look ahead would wait for what has not.
        found = lines.read1(_AT_ONCE)
        if found and not found.endswith(b"\n"):
            found += lines.readline()
        return BytesIO(found).readlines()
    except (OSError, EOFError) as error:
        raise Stop(
            f"the file is broken after what was taken in ({error}); get it again and import it once more"
        ) from error


async def _parsed(numbered: list[tuple[int, bytes]], source: str, progress: Progress) -> Batch:
    activities: list[Activity] = []
    failures: list[Failure] = []
    for count, (number, line) in enumerate(numbered):
        if count % _PARSED_AT_ONCE == 0:
            await asyncio.sleep(0)
        progress.read = number
        progress.bytes += len(line)
        if not line.strip():
            continue
        try:
            activities.append(_activity(line, source))
        except Reject as error:
            told = Reject(f"line {number}: {error}")
            failures.append(Failure(key=f"line {number}", value=line[:LARGEST_LINE], error=told))
            progress.mistakes = [*progress.mistakes, str(told)][:10]
    progress.published += len(activities)
    progress.rejected += len(failures)
    return Batch(activities=activities, failures=failures)


def _activity(line: bytes, source: str) -> Activity:
    if len(line) > LARGEST_LINE:
        raise Reject(f"{len(line)} bytes are more than the {LARGEST_LINE} that a line may have")
    return parse_line(line, source=source)
