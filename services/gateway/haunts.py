"""Where people are active most, asked of the index now and then: it does not change between two searches."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

_SECONDS = 600.0
_MOST = 10_000
"""People whose places are remembered."""

Key = tuple[str, ...]
Places = tuple[str, ...]


class Haunts:
    """Remembers places by the principals of who asks, so that they are asked for anew when somebody's groups change."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[Key, tuple[float, Places]] = OrderedDict()

    async def of(self, who: Key, ask: Callable[[], Awaitable[Places]]) -> Places:
        """Return the places of somebody; ``ask`` gives them where they are not known, or not any more."""
        at, places = self._known.get(who, (-_SECONDS, ()))
        if self._clock() - at < _SECONDS:
            return places
        places = await ask()
        self._known[who] = self._clock(), places
        self._known.move_to_end(who)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return places
