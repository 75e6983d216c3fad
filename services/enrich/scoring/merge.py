"""Records of many partitions in the order of their event time, behind a watermark. Pure.

Within a partition the order is the log's. Between partitions the earliest event comes first, and nothing comes before
every partition that has more to give has shown its next record: so the same log gives the same order, whatever sizes
the reads had. A partition that has been read to its end holds nothing up.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Merge(Generic[T]):
    """Takes items by partition, gives them in order."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[tuple[int, T]]] = {}
        self._heads: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def put(self, partition: int, time: int, item: T) -> None:
        """Take the next item of a partition, as of an event time in micros."""
        line = self._waiting.setdefault(partition, deque())
        line.append((time, item))
        if len(line) == 1:
            heapq.heappush(self._heads, (time, partition))

    def first(self, partition: int) -> T | None:
        """Return the item of a partition that comes next; None where none waits."""
        line = self._waiting.get(partition)
        return line[0][1] if line else None

    def ready(self, unread: Iterable[int] = ()) -> Iterator[T]:
        """Give, and take out, all that may come now; ``unread`` are partitions of which more is in the log."""
        awaited = set(unread)
        while self._heads and all(self._waiting.get(partition) for partition in awaited):
            _, partition = heapq.heappop(self._heads)
            line = self._waiting[partition]
            yield line.popleft()[1]
            if line:
                heapq.heappush(self._heads, (line[0][0], partition))
