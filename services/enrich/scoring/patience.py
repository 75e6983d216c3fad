"""Asking Kafka again: a broker that starts anew passes by itself, and what was taken in is dear to read again."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from services.common import logs
from services.common.errors import Retry

PATIENCE = 60.0
"""Seconds; after them the service ends, and whoever supervises it starts it again."""
_PAUSE = 0.5
_log = logs.get(__name__)
_T = TypeVar("_T")


async def patiently(ask: Callable[[], Awaitable[_T]], patience: float = PATIENCE, pause: float = _PAUSE) -> _T:
    """Return what ``ask`` gives, asked again while it raises Retry; raises the last one when patience is over.

    ``ask`` has to do nothing that must not be done twice.
    """
    end = monotonic() + patience
    while True:
        try:
            return await ask()
        except Retry as error:
            if monotonic() > end:
                raise
            _log.warning("asked again in a moment", reason=str(error))
            await asyncio.sleep(pause)
