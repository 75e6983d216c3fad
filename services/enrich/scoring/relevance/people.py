"""What is known of each person, as arrays by slot. Slot 0 is whoever is not known: a newcomer. Pure."""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.common.embedding import DIMENSIONS
from services.enrich.scoring.relevance.decay import aged, weight

_Number = TypeVar("_Number", bound=np.generic)
NOBODY = 0
KINDS = 3
"""Conversations, code, everything else."""
HALF_LIVES = {
    "objects": 180.0,
    "month": 20.0,
    "week": 5.0,
    "summoned": 120.0,
    "joined": 120.0,
    "joined_questions": 120.0,
    "wandered": 120.0,
    "for_newcomers": 120.0,
    "started": 120.0,
    "gathered": 120.0,
    "gathered_from_afar": 120.0,
    "ties": 120.0,
}
"""Sums that decay, with their half-lives in days: objects taken part in; actions of late; how often others summoned the
person; objects of others joined, of those what asked something, joined away from home, joined because a newcomer began
them; objects begun, people who joined those, and those of them who were away from home; strength of all ties."""
_VECTORS = {"words": 180.0, "recent": 14.0, "objects": 180.0}
"""What the person writes about, of late, and what the objects are about that the person takes part in."""


class Vectors:
    """Decaying sums of vectors by slot. Each row stands as of its own time, since single precision is soon full."""

    def __init__(self, half_life: float) -> None:
        self.half_life = half_life
        self.sums = np.zeros((1, DIMENSIONS), dtype=np.float32)
        self.weights = np.zeros(1)
        self.times = np.zeros(1, dtype=np.int64)

    def grow(self, size: int) -> None:
        """Make room."""
        self.sums = _larger(self.sums, size)
        self.weights = _larger(self.weights, size)
        self.times = _larger(self.times, size)

    def add(self, slot: int, vector: NDArray[np.float32], time: int, amount: float = 1.0) -> None:
        """Add to a row a vector as of ``time`` (micros)."""
        behind = int(self.times[slot]) - time
        if behind < 0:
            left = aged(-behind, self.half_life)
            self.sums[slot] *= left
            self.weights[slot] *= left
            self.times[slot] = time
        amount *= aged(behind, self.half_life)
        self.sums[slot] += np.float32(amount) * vector
        self.weights[slot] += amount

    def weights_at(self, slots: NDArray[np.int64], time: int, half_life: float) -> NDArray[np.float64]:
        """Return the weights of rows as of ``time``."""
        ages = np.maximum(time - self.times[slots], 0) / (86_400e6 * half_life)
        found: NDArray[np.float64] = self.weights[slots] * np.exp2(-ages)
        return found

    def clear(self, slot: int) -> None:
        """Forget a row."""
        self.sums[slot] = 0.0
        self.weights[slot] = 0.0


class People:
    """Slots of people by id, and what is known of each."""

    def __init__(self) -> None:
        self._slots: dict[str, int] = {"": NOBODY}
        self.ids: list[str] = [""]
        self.sums = {name: np.zeros(1) for name in HALF_LIVES}
        self.totals = dict.fromkeys(HALF_LIVES, 0.0)
        self.kinds = np.zeros((1, KINDS))
        self.actions = np.zeros(1, dtype=np.int64)
        """Within the year before the clock, each activity once per object."""
        self.containers = np.zeros(1, dtype=np.int64)
        self.last = np.zeros(1, dtype=np.int64)
        self.texts = np.full(1, -1, dtype=np.int64)
        """Slot in the index of people's words."""
        self.vectors = {name: Vectors(half_life) for name, half_life in _VECTORS.items()}
        self.active = 0
        """People with an action within the year."""

    def __len__(self) -> int:
        return len(self.ids) - 1

    def slot(self, person: str) -> int:
        """Return a person's slot, a new one where there is none."""
        found = self._slots.get(person)
        if found is None:
            found = self._slots[person] = len(self.ids)
            self.ids.append(person)
            if found >= len(self.actions):
                self._grow(2 * len(self.actions) + 64)
        return found

    def find(self, person: str) -> int:
        """Return a person's slot, or NOBODY."""
        return self._slots.get(person, NOBODY)

    def slots(self, people: Iterable[str]) -> NDArray[np.int64]:
        """Return the slots of people; NOBODY for who is not known."""
        return np.array([self._slots.get(person, NOBODY) for person in people], dtype=np.int64)

    def add(self, name: str, slot: int, time: int, amount: float = 1.0) -> None:
        """Add to a decaying sum as of ``time``."""
        amount *= weight(time, HALF_LIVES[name])
        self.sums[name][slot] = max(self.sums[name][slot] + amount, 0.0)
        self.totals[name] = max(self.totals[name] + amount, 0.0)

    def at(self, name: str, slots: NDArray[np.int64], time: int) -> NDArray[np.float64]:
        """Return decaying sums as of ``time``."""
        found: NDArray[np.float64] = self.sums[name][slots] / weight(time, HALF_LIVES[name])
        return found

    def one_at(self, name: str, slot: int, time: int) -> float:
        """Return a decaying sum as of ``time``."""
        return float(self.sums[name][slot]) / weight(time, HALF_LIVES[name])

    def total_at(self, name: str, time: int) -> float:
        """Return everybody's sum as of ``time``."""
        return self.totals[name] / weight(time, HALF_LIVES[name])

    def act(self, slot: int, kind: int, time: int, amount: int) -> None:
        """Count an action, or take one back (``amount`` -1)."""
        before = int(self.actions[slot])
        self.actions[slot] = max(before + amount, 0)
        self.active += int(self.actions[slot] > 0) - int(before > 0)
        if time:
            self.kinds[slot, kind] = max(self.kinds[slot, kind] + amount * weight(time, 90.0), 0.0)
            self.last[slot] = max(self.last[slot], time)

    def forget(self, slot: int) -> None:
        """Forget what is known of a person; the slot stays theirs."""
        for name, sums in self.sums.items():
            self.totals[name] -= sums[slot]
            sums[slot] = 0.0
        self.active -= int(self.actions[slot] > 0)
        self.kinds[slot] = 0.0
        self.actions[slot] = self.containers[slot] = self.last[slot] = 0
        self.texts[slot] = -1
        for vectors in self.vectors.values():
            vectors.clear(slot)

    def _grow(self, size: int) -> None:
        more = size - len(self.texts)
        self.sums = {name: _larger(sums, size) for name, sums in self.sums.items()}
        self.kinds = _larger(self.kinds, size)
        self.actions = _larger(self.actions, size)
        self.containers = _larger(self.containers, size)
        self.last = _larger(self.last, size)
        self.texts = np.concatenate([self.texts, np.full(more, -1, dtype=np.int64)])
        for vectors in self.vectors.values():
            vectors.grow(size)


def _larger(array: NDArray[_Number], size: int) -> NDArray[_Number]:
    """Return a copy with room for more, which takes no memory before it is written to."""
    found = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    found[: len(array)] = array
    return found
