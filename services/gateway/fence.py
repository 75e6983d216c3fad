"""Keeps searches from counting what has just been closed, until the index knows of it.

Hits are looked at once more against the view of ``access.v1`` in memory, but totals and facets are counted by the index
alone. So a search by somebody from whom a record has taken something waits until the index says that it has applied
that record, and is refused where that takes too long. What opens something gives nothing away and is not waited for.
"""

import asyncio
from collections.abc import Iterable, Mapping

from services.common.access import EVERYONE
from services.common.errors import Retry
from services.common.search import APPLIED, Search

PATIENCE = 5.0
"""Seconds that a search waits."""
_LOOK = 0.05
"""Seconds between two looks at how far the index is."""

Offsets = Mapping[int, int]
"""Per partition of ``access.v1`` the offset of the next record."""


class Behind(Retry):
    """The index does not know yet what has been closed; who asks again in a moment is answered."""


class Fence:
    """``begin`` when the view is loaded; ``lost`` is told by the view of every record that takes something away."""

    def __init__(self, search: Search, *, patience: float = PATIENCE) -> None:
        self._search = search
        self._patience = patience
        self._needed: dict[str, dict[int, int]] = {}
        self._applied: dict[int, int] = {}
        self._looking: asyncio.Task[None] | None = None

    def begin(self, ends: Offsets) -> None:
        """Take it that anything may have been closed before the view was loaded up to ``ends``."""
        self._needed = {EVERYONE: {partition: end for partition, end in ends.items() if end > 0}}

    def lost(self, partition: int, offset: int, principals: Iterable[str]) -> None:
        """Take it that the record at an offset takes something from these principals."""
        if offset < self._applied.get(partition, 0):
            return
        for principal in principals:
            self._needed.setdefault(principal, {})[partition] = offset + 1

    async def passed(self, principals: Iterable[str]) -> None:
        """Return once the index knows all that was taken from these principals; raises Behind, or as search does."""
        asked = tuple({EVERYONE, *principals})
        if not self._waits(asked):
            return
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    await self._look()
                    if not self._waits(asked):
                        return
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise Behind("the index is still learning who may open what since that changed; ask again") from None

    def _waits(self, principals: Iterable[str]) -> bool:
        return any(principal in self._needed for principal in principals)

    async def _look(self) -> None:
        """Ask the index how far it is; many who wait ask once."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask())
            self._looking.add_done_callback(_seen)  # those who waited may have given up before it failed
        await asyncio.shield(self._looking)

    async def _ask(self) -> None:
        found = (await self._search.get("grants", [APPLIED], principals=None)).get(APPLIED, {})
        said = (one.partition(":") for one in found.get("objects", ()))
        self._applied = {int(partition): int(offset) for partition, _, offset in said}
        left = {principal: self._left(needed) for principal, needed in self._needed.items()}
        self._needed = {principal: needed for principal, needed in left.items() if needed}

    def _left(self, needed: Offsets) -> dict[int, int]:
        return {p: offset for p, offset in needed.items() if self._applied.get(p, 0) < offset}


def _seen(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
