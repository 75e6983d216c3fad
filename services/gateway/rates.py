"""How often one asker may ask, and how that is said: the fields of draft-ietf-httpapi-ratelimit-headers-10.

The draft may still change; nothing else here knows of it.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.gateway.problems import Problem

_WINDOW = 60
_POLICY = '"asker"'


@dataclass(frozen=True, slots=True)
class Standing:
    """What an asker has left: ``left`` of ``limit`` requests, and the seconds until there is more."""

    limit: int
    left: int
    seconds: int

    def headers(self) -> Mapping[str, str]:
        """Return the headers that say so."""
        return {
            "RateLimit-Policy": f"{_POLICY};q={self.limit};w={_WINDOW}",
            "RateLimit": f"{_POLICY};r={self.left};t={self.seconds}",
        }


class Rates:
    """Counts requests of each asker, in this process."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def take(self, asker: str) -> Standing:
        """Count a request; raises Problem where it is one too many."""
        allowed = await self._counter.hit(self._limit, asker)
        window = await self._counter.get_window_stats(self._limit, asker)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        standing = Standing(self._limit.amount, window.remaining, seconds)
        if not allowed:
            raise Problem(
                429,
                "too-often",
                f"At most {standing.limit} requests a minute are answered; see Retry-After.",
                retry_after=seconds,
                headers=standing.headers(),
            )
        return standing
