"""Attendance as sparse matrices of people by people and people by containers, and walks over them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.enrich.meeting.attendance import Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LARGEST = 30
"""People of an object beyond which having been there links nobody."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """Rows in compressed form; all weights are positive. ``totals`` has the sum of each column."""

    starts: Ints
    columns: Ints
    weights: Floats
    totals: Floats

    def entries(self, rows: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the entries of some rows: place in ``rows``, column, weight."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        places = np.repeat(np.arange(len(rows)), lengths)
        offsets = np.arange(len(places)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        found = np.repeat(self.starts[rows], lengths) + offsets
        return places, self.columns[found], self.weights[found]


def sparse(rows: Ints, columns: Ints, weights: Floats, shape: tuple[int, int]) -> Sparse:
    """Return the matrix in which what falls on the same place is added up."""
    keys, inverse = np.unique(rows * shape[1] + columns, return_inverse=True)
    summed = _sums(inverse, weights, len(keys))
    starts = np.searchsorted(keys, np.arange(shape[0] + 1) * shape[1])
    return Sparse(starts, keys % shape[1], summed, _sums(keys % shape[1], summed, shape[1]))


def _sums(groups: Ints, weights: Floats, number: int) -> Floats:
    return np.bincount(groups, weights, minlength=number).astype(np.float64)


def rooted(matrix: Sparse) -> Sparse:
    """Return the matrix of square roots."""
    weights = np.sqrt(matrix.weights)
    totals = _sums(matrix.columns, weights, len(matrix.totals))
    return Sparse(matrix.starts, matrix.columns, weights, totals)


def walks(matrix: Sparse, left: Ints, right: Ints, floor: float) -> Floats:
    """Return sum over z of m[a, z] m[b, z] / max(total[z], floor), shape (left, right).

    That is resource allocation (Zhou, Lü, Zhang 2009) with weights: what two rows share counts the less, the more
    others share it.
    """
    places, columns, weights = matrix.entries(left)
    used, inverse = np.unique(columns, return_inverse=True)
    a = np.zeros((len(left), len(used)), dtype=np.float64)
    a[places, inverse] = weights / np.maximum(matrix.totals[used][inverse], floor)
    places, columns, weights = matrix.entries(right)
    there = np.searchsorted(used, columns)
    shared = (there < len(used)) & (used[np.minimum(there, len(used) - 1)] == columns) if len(used) else columns < 0
    b = np.zeros((len(right), len(used)), dtype=np.float64)
    b[places[shared], there[shared]] = weights[shared]
    return np.asarray(a @ b.T)


@dataclass(frozen=True, slots=True)
class Encounters:
    """Two rows of attendance that share a small object: places of both rows, and the number of people there."""

    one: Ints
    other: Ints
    size: Ints


def encounters(objects: Ints, largest: int = LARGEST) -> Encounters:
    """Return all pairs of rows with the same object, of those that have 2 to ``largest`` people."""
    order = np.argsort(objects, kind="stable")
    _, starts, sizes = np.unique(objects[order], return_index=True, return_counts=True)
    found: list[tuple[Ints, Ints, Ints]] = []
    for size in range(2, largest + 1):
        begin = starts[sizes == size]
        i, j = np.triu_indices(size, 1)
        rows = (begin[:, None] + i).ravel(), (begin[:, None] + j).ravel()
        found.append((order[rows[0]], order[rows[1]], np.full(len(rows[0]), size)))
    one, other, size_of = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Encounters(one, other, size_of)


@dataclass(frozen=True, slots=True)
class Graph:
    """What linking people needs, for one half-life."""

    ties: Sparse
    """People by people: roots of what they shared."""
    places: Sparse
    """People by containers: in how many objects they took part."""


def graphs(window: Window, people: int, containers: int, half_lives: Sequence[float]) -> list[Graph]:
    """Return the graph for each half-life (days): a share in an object of n people is worth 1 / (n - 1) of it."""
    met = encounters(window.objects)
    made = []
    for half_life in half_lives:
        weights = 0.5 ** (window.days / half_life)
        shares = np.sqrt(weights[met.one] * weights[met.other]) / (met.size - 1)
        a, b = window.people[met.one], window.people[met.other]
        ties = sparse(np.r_[a, b], np.r_[b, a], np.r_[shares, shares], (people, people))
        places = sparse(window.people, window.containers, weights, (people, containers))
        made.append(Graph(rooted(ties), places))
    return made
