"""Where the newest record of each of many keys lies in a partition: 24 bytes a record, so that a million fit."""

from array import array
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np


class Newest:
    """Takes records in the order of the log; keys are kept as 64-bit hashes (see seen.py for what that risks)."""

    def __init__(self) -> None:
        self._keys, self._offsets, self._generations = array("Q"), array("q"), array("q")

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, offset: int, generation: int) -> None:
        """Take a record of a key."""
        self._keys.append(int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little"))
        self._offsets.append(offset)
        self._generations.append(generation)

    def found(self) -> tuple[Sequence[int], Sequence[int]]:
        """Return the offset of each key's newest record, ascending, and beside it the key's highest generation."""
        if not self._keys:
            return (), ()
        keys = np.frombuffer(self._keys, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")  # equal keys stay in the order of the log
        begins = np.flatnonzero(np.concatenate(([True], np.diff(keys[order]) != 0)))
        last = np.append(begins[1:], len(order)) - 1
        offsets = np.frombuffer(self._offsets, dtype=np.int64)[order][last]
        generations = np.maximum.reduceat(np.frombuffer(self._generations, dtype=np.int64)[order], begins)
        ascending = np.argsort(offsets)
        return offsets[ascending].tolist(), generations[ascending].tolist()
