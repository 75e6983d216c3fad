"""Which offset may be committed: below the oldest record that is not done with. Pure."""

from collections import deque


class Offsets:
    """One partition during one assignment. Records are taken in the order of the log and done in any order."""

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._done: set[int] = set()
        self._next: int | None = None
        self._committed: int | None = None

    def taken(self, offset: int) -> None:
        """A record was taken up."""
        self._open.append(offset)
        self._next = offset + 1

    def done(self, offset: int) -> None:
        """All that a record asked for has been done."""
        self._done.add(offset)
        while self._open and self._open[0] in self._done:
            self._done.remove(self._open.popleft())

    @property
    def idle(self) -> bool:
        """True when nothing taken is open."""
        return not self._open

    def to_commit(self) -> int | None:
        """Return the offset of the next record to read after a restart; None when that is stored already."""
        safe = self._open[0] if self._open else self._next
        return None if safe == self._committed else safe

    def committed(self, offset: int) -> None:
        """Kafka has stored this offset."""
        self._committed = offset
