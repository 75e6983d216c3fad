"""Who was where at one moment, by person and by place: a sparse table in compressed rows, both ways. Pure."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.rows import Row, Rows

Ints = NDArray[np.int64]


class Noted:
    """A copy of rows by place. Entries lie in the order of ``people``; ``numbers`` are those of places."""

    def __init__(self, rows: Rows[str], numbers: Mapping[str, int], people: int) -> None:
        parts = [(number, *rows.row(key)) for key, number in numbers.items()]
        sizes = [len(columns) for _, columns, _ in parts]
        columns = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in parts)])
        values = np.concatenate([np.zeros(0), *(part[2] for part in parts)])
        order = np.argsort(columns, kind="stable")
        self.people, self.values = columns[order], values[order]
        self.places = np.repeat(np.array([number for number, *_ in parts], dtype=np.int64), sizes)[order]
        self._starts = np.searchsorted(self.people, np.arange(people + 1))
        self._by_place = np.argsort(self.places, kind="stable")
        self._begins = np.searchsorted(self.places[self._by_place], np.arange(len(numbers) + 1))

    def row(self, place: int) -> Row:
        """Return a place's people and values."""
        entries = self._by_place[self._begins[place] : self._begins[place + 1]]
        return self.people[entries], self.values[entries]

    def of(self, people: Ints) -> tuple[Ints, Ints]:
        """Return where the entries of these people are, and to the how manieth of them each belongs."""
        known = np.minimum(people, len(self._starts) - 2)
        first = self._starts[known]
        counts = np.where(people == known, self._starts[known + 1] - first, 0)
        owners = np.repeat(np.arange(len(people)), counts)
        return np.arange(len(owners)) + (first - np.cumsum(counts) + counts)[owners], owners
