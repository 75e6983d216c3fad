"""The newest events of a topic, in the order they were read, bounded in number and bytes."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from services.gateway.stream.events import Event


class Ring:
    """Events by running number: ``first`` is the oldest one held, ``end`` the number of the next to come."""

    def __init__(self, start: Sequence[int], *, events: int = 20_000, size: int = 64 << 20) -> None:
        self._events: deque[Event] = deque()
        self._most, self._most_bytes = events, size
        self._bytes = 0
        self.first = 0
        self.since: tuple[int, ...] = tuple(start)
        """Offsets before the oldest event held: all that came behind them is here."""
        self.position: tuple[int, ...] = tuple(start)
        """Offsets behind the newest event."""

    @property
    def end(self) -> int:
        """Number of the next event."""
        return self.first + len(self._events)

    def append(self, event: Event) -> None:
        """Take the next event, and let the oldest go where it is one too many."""
        self._events.append(event)
        self._bytes += event.size
        self.position = event.after
        while len(self._events) > self._most or (self._bytes > self._most_bytes and len(self._events) > 1):
            gone = self._events.popleft()
            self._bytes -= gone.size
            self.since = gone.after
            self.first += 1

    def slice(self, start: int, end: int) -> list[Event]:
        """Return the events with numbers from ``start`` (at least ``first``) to before ``end``."""
        low, high = max(0, start - self.first), max(0, min(end, self.end) - self.first)
        if low > len(self._events) // 2:  # a deque is read from the nearer end
            found = list(islice(reversed(self._events), len(self._events) - high, len(self._events) - low))
            found.reverse()
            return found
        return list(islice(self._events, low, high))

    def start_for(self, offsets: Sequence[int]) -> int:
        """Return the number of the first event that somebody at these offsets may not have been given yet."""
        low, high = 0, len(self._events)
        while low < high:
            middle = (low + high) // 2
            if all(mine >= its for mine, its in zip(offsets, self._events[middle].after, strict=True)):
                low = middle + 1
            else:
                high = middle
        return self.first + low

    def newest(self) -> Iterator[Event]:
        """Return the events, newest first."""
        return reversed(self._events)
