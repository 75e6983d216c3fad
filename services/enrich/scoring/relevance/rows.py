"""A sparse table of sums, read by rows as arrays: who has to do with whom, and who is where. Pure, bounded."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)
Ints = NDArray[np.int64]
Values = NDArray[np.float64]
Row = tuple[Ints, Values]
"""Columns and values."""
_NOTHING: Row = (np.zeros(0, dtype=np.int64), np.zeros(0))
_LEAST = 1e-12
"""Share of what is taken off an entry below which what is left is a rounding error."""
_FEW = 4


class _Entries:
    """One row: columns and values as they came, and where each column is."""

    __slots__ = ("columns", "places", "values")

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.columns = np.zeros(_FEW, dtype=np.int64)
        self.values = np.zeros(_FEW)

    def add(self, column: int, value: float) -> None:
        place = self.places.get(column)
        if place is not None:
            left = self.values[place] + value
            if left > _LEAST * abs(value):
                self.values[place] = left
            else:
                self._remove(place)
        elif value > 0:
            self._append(column, value)

    def _append(self, column: int, value: float) -> None:
        place = len(self.places)
        if place == len(self.columns):
            self.columns = np.concatenate([self.columns, self.columns])
            self.values = np.concatenate([self.values, self.values])
        self.places[column], self.columns[place], self.values[place] = place, column, value

    def _remove(self, place: int) -> None:
        """Take an entry out; the last one takes its place."""
        last = len(self.places) - 1
        moved = int(self.columns[last])
        del self.places[int(self.columns[place])]
        if place != last:
            self.places[moved], self.columns[place], self.values[place] = place, moved, self.values[last]

    def row(self) -> Row:
        size = len(self.places)
        return self.columns[:size], self.values[:size]

    def keep(self, most: int) -> None:
        """Keep the largest, of those as large the smaller column."""
        columns, values = self.row()
        kept = np.sort(np.lexsort((columns, -values))[:most])
        self.columns, self.values = columns[kept], values[kept]
        self.places = {column: place for place, column in enumerate(self.columns.tolist())}


class Rows(Generic[Key]):
    """Sums by row and column (a person's slot). A row keeps its ``most`` largest values."""

    def __init__(self, most: int = 2_000) -> None:
        self._most = most
        self._rows: dict[Key, _Entries] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def add(self, row: Key, column: int, value: float) -> None:
        """Add to an entry; one that comes to nothing is removed."""
        entries = self._rows.get(row)
        if entries is None:
            entries = self._rows[row] = _Entries()
        entries.add(column, value)
        if len(entries.places) > 2 * self._most:
            entries.keep(self._most)
        elif not entries.places:
            del self._rows[row]

    def last(self, row: Key, column: int, value: float) -> None:
        """Keep the larger of an entry and ``value``."""
        before = self.get(row, column)
        if value > before:
            self.add(row, column, value - before)

    def get(self, row: Key, column: int) -> float:
        """Return an entry."""
        entries = self._rows.get(row)
        place = entries.places.get(column) if entries else None
        return float(entries.values[place]) if entries and place is not None else 0.0

    def size(self, row: Key) -> int:
        """Return how many entries a row has."""
        entries = self._rows.get(row)
        return len(entries.places) if entries else 0

    def row(self, row: Key) -> Row:
        """Return a row's columns and values, good until the next ``add``."""
        entries = self._rows.get(row)
        return entries.row() if entries else _NOTHING

    def at(self, row: Key, columns: Ints) -> Values:
        """Return a row's entries at these columns: what it costs goes with these, not with the row."""
        entries = self._rows.get(row)
        if entries is None:
            return np.zeros(len(columns))
        get = entries.places.get
        places = np.array([get(column, -1) for column in columns.tolist()], dtype=np.int64)
        return np.where(places >= 0, entries.values[places], 0.0)

    def forget_row(self, row: Key) -> None:
        """Remove a row."""
        self._rows.pop(row, None)

    def forget_column(self, column: int) -> None:
        """Remove a column; looks at every row, for what is seldom done."""
        for row in [row for row, entries in self._rows.items() if column in entries.places]:
            self.add(row, column, -self.get(row, column))
