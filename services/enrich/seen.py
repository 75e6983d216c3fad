"""Which (activity id, fingerprint) a partition of ``enriched.v1`` has had, and whether among its last 200,000.

Each is kept as a 64-bit hash, in the order of the log: the newest ones in a set, then sorted blocks (the window), then
one sorted array of everything older. So a million activities cost eight megabytes, a look-up of a whole batch is a few
binary searches by numpy, and "older than the window" is known, not guessed. (A hash shared by two different activities
would drop the later one: with ten million in a partition, one chance in two million million for each new activity.)

The window is rounded up to whole blocks: it holds between 200,000 and 220,000. Nothing is taken in here before its
transaction is committed; ``restore`` and ``arrays`` let it lie in a file between two lives of a worker (see memory.py).
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
_NONE: Hashes = np.empty(0, dtype=np.uint64)


class Repetition(Enum):
    """What an activity is to the partition."""

    NEW = "new"
    RECENT = "recent"
    OLD = "old"


def hash_of(activity_id: str, fingerprint: str) -> int:
    """Return the 64-bit hash of one content of one activity."""
    return int.from_bytes(blake2b(f"{activity_id}\0{fingerprint}".encode(), digest_size=8).digest(), "little")


class Seen:
    """Hashes of one partition."""

    def __init__(self, window: int = 200_000, block: int = 20_000) -> None:
        self._block = block
        self._blocks: deque[Hashes] = deque()
        self._most_blocks = -(-window // block)
        self._fresh: dict[int, None] = {}
        self._older: Hashes = _NONE

    def __len__(self) -> int:
        return len(self._fresh) + sum(map(len, self._blocks)) + len(self._older)

    def judge(self, hashes: Sequence[int]) -> list[Repetition]:
        """Return what each of a batch is, given all before it; the second of two equal ones is RECENT."""
        asked = np.fromiter(hashes, dtype=np.uint64, count=len(hashes))
        recent = np.zeros(len(asked), dtype=bool)
        for block in self._blocks:
            recent |= _among(asked, block)
        old = _among(asked, self._older)
        verdicts, batch = [], set[int]()
        for number, in_window, before in zip(hashes, recent.tolist(), old.tolist(), strict=True):
            if in_window or number in self._fresh or number in batch:
                verdicts.append(Repetition.RECENT)
            else:
                verdicts.append(Repetition.OLD if before else Repetition.NEW)
            batch.add(number)
        return verdicts

    def add(self, hashes: Iterable[int]) -> None:
        """Take in what has been committed, in the order of the log."""
        for number in hashes:
            self._fresh[number] = None
            if len(self._fresh) >= self._block:
                self._seal()

    def _seal(self) -> None:
        self._blocks.append(np.sort(np.fromiter(self._fresh, dtype=np.uint64, count=len(self._fresh))))
        self._fresh = {}
        # The newest block of the window is still open, so one sealed block more than the window needs none.
        while len(self._blocks) > self._most_blocks:
            gone = self._blocks.popleft()
            # Both are sorted, so this is one pass over them and no sort of everything.
            self._older = np.insert(self._older, np.searchsorted(self._older, gone), gone)

    def arrays(self) -> dict[str, Hashes]:
        """Return everything as arrays by name, for a file."""
        named = {f"block{number:06d}": block for number, block in enumerate(self._blocks)}
        fresh = np.fromiter(self._fresh, dtype=np.uint64, count=len(self._fresh))
        return {"older": self._older, "fresh": fresh, **named}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take up what ``arrays`` gave."""
        self._older = arrays["older"]
        self._blocks = deque(arrays[name] for name in sorted(arrays) if name.startswith("block"))
        self._fresh = dict.fromkeys(arrays["fresh"].tolist())


def _among(asked: Hashes, known: Hashes) -> NDArray[np.bool_]:
    if not len(known):
        return np.zeros(len(asked), dtype=bool)
    places = np.searchsorted(known, asked)
    places[places == len(known)] = 0
    found: NDArray[np.bool_] = known[places] == asked
    return found
