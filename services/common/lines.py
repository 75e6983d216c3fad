"""The lines of a file of activities: gzip or not, or standard input, each bounded in length."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from services.common.errors import Stop

STDIN = "-"
GZIP = b"\x1f\x8b"
"""How a gzip file begins."""
LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of a line that is read; of a longer one only the beginning is kept."""


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Yield a file's lines as bytes, unpacked where it is gzip. Raises Stop when it cannot be read."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        raw = Path(path).open("rb")  # noqa: SIM115 - closed below, but opened where the error is explained
    except OSError as error:
        raise Stop(f"{path} cannot be read ({error.strerror})") from error
    with raw:
        packed = raw.peek(2)[:2] == GZIP
        yield cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw


@contextmanager
def broken_is_said(after: str, then: str) -> Iterator[None]:
    """Turn what reading a broken file raises into Stop: the file is broken after ..., and what to do ``then``."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise Stop(f"the file is broken after {after} ({error}); {then}") from error


def bounded_line(lines: BinaryIO) -> bytes:
    """Return the next line; of one that is too long only the beginning, which is too long still."""
    line = rest = lines.readline(LONGEST_LINE + 1)
    while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
        rest = lines.readline(LONGEST_LINE + 1)
    return line
