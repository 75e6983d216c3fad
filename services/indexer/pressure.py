"""How much to send at once: additive increase while it goes well, halved when the index is too busy. Pure."""

from collections.abc import Callable

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


class Pressure:
    """``window`` is the number of writes of one bulk request, between ``least`` and ``most``."""

    def __init__(self, *, least: int = 50, most: int = 4_000, step: int = 200) -> None:
        self._least, self._most, self._step = least, most, step
        self.window = most

    def went_well(self) -> None:
        """A request was taken whole."""
        self.window = min(self._most, self.window + self._step)

    def too_much(self) -> None:
        """A request was refused, wholly or in part."""
        self.window = max(self._least, self.window // 2)


def pause(attempt: int, random: Callable[[], float]) -> float:
    """Return the seconds before try ``attempt`` (from 1): full jitter, so that many do not come back at once.

    ``random`` gives numbers from 0 to below 1.
    """
    return random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 30))
