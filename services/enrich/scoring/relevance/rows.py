"""A sparse table of sums, read by rows as arrays: who has to do with whom, and who is where. Pure, bounded."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)
Row = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Columns and values."""
_NOTHING: Row = (np.zeros(0, dtype=np.int64), np.zeros(0))
_LEAST = 1e-12
"""Share of a row's largest value below which what is left of an entry is a rounding error."""


class Rows(Generic[Key]):
    """Sums by row and column (a person's slot). A row keeps its ``most`` largest values."""

    def __init__(self, most: int = 2_000) -> None:
        self._most = most
        self._rows: dict[Key, dict[int, float]] = {}
        self._arrays: dict[Key, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Key, column: int, value: float) -> None:
        """Add to an entry; one that comes to nothing is removed."""
        entries = self._rows.setdefault(row, {})
        left = entries.get(column, 0.0) + value
        if left > _LEAST * abs(value):
            entries[column] = left
        else:
            entries.pop(column, None)
        self._arrays.pop(row, None)
        if len(entries) > 2 * self._most:
            self._rows[row] = dict(sorted(entries.items(), key=lambda entry: (-entry[1], entry[0]))[: self._most])
        elif not entries:
            del self._rows[row]

    def last(self, row: Key, column: int, value: float) -> None:
        """Keep the larger of an entry and ``value``."""
        before = self.get(row, column)
        if value > before:
            self.add(row, column, value - before)

    def get(self, row: Key, column: int) -> float:
        """Return an entry."""
        entries = self._rows.get(row)
        return entries.get(column, 0.0) if entries else 0.0

    def size(self, row: Key) -> int:
        """Return how many entries a row has."""
        return len(self._rows.get(row, ()))

    def row(self, row: Key) -> Row:
        """Return a row's columns and values."""
        found = self._arrays.get(row)
        if found is None:
            entries = self._rows.get(row)
            if not entries:
                return _NOTHING
            count = len(entries)
            found = (np.fromiter(entries, np.int64, count), np.fromiter(entries.values(), np.float64, count))
            self._arrays[row] = found
        return found

    def forget_row(self, row: Key) -> None:
        """Remove a row."""
        self._rows.pop(row, None)
        self._arrays.pop(row, None)

    def forget_column(self, column: int) -> None:
        """Remove a column; looks at every row, for what is seldom done."""
        for row in [row for row, entries in self._rows.items() if column in entries]:
            self.add(row, column, -self._rows[row][column])
