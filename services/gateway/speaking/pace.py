"""How fast one person may speak, in this process: a leaky bucket each, by aiolimiter."""

from collections import OrderedDict

from aiolimiter import AsyncLimiter

from services.gateway.problems import Problem

_PEOPLE = 10_000


class Pace:
    """Counts what each person says."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._of: OrderedDict[str, AsyncLimiter] = OrderedDict()

    async def take(self, person: str) -> None:
        """Count one; raises Problem where it is one too many."""
        bucket = self._of.setdefault(person, AsyncLimiter(self._per_minute, 60))
        self._of.move_to_end(person)
        if len(self._of) > _PEOPLE:
            self._of.popitem(last=False)
        if not bucket.has_capacity():
            raise Problem(
                429,
                "too-often",
                f"At most {self._per_minute} things a minute may be said by one person; see Retry-After.",
                retry_after=60 / self._per_minute,
            )
        await bucket.acquire()
