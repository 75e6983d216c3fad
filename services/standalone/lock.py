"""One `up` per data folder, said clearly to the second one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.common.errors import Stop


@contextmanager
def hold(state: Path) -> Iterator[None]:
    """Keep the data folder for this process while the block runs; Stop when another process has it.

    The kernel drops the lock with the process, so one that was killed leaves nothing to clean up.
    """
    handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(
                f"Watercooler already runs on {state} (process {_written(handle)}): "
                "stop it with `watercooler down`, or choose another folder with --state."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def holder(state: Path) -> int | None:
    """Process id of the Watercooler that runs on the folder; None when none does."""
    try:
        handle = os.open(state / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        written = _written(handle)
        return int(written) if written.isdigit() else None
    finally:
        os.close(handle)
    return None


def _written(handle: int) -> str:
    return os.pread(handle, 32, 0).decode() or "unknown"
