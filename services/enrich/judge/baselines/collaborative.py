"""Scorers that know who took part in what, and nothing of what was said.

A new object has no participants, so that what such scorers know of it is its container and its author.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from services.enrich.judge.look import Look
from services.enrich.judge.metrics import Scores

_FACTORS = 64
_RESTART = 0.15
_STEPS = 20
_SEED = 7


def item_item(look: Look) -> Scores:
    """Containers like those that the person acts in: cosine of containers over people, by log(1 + actions)."""
    table = look.at_home.copy()
    table.data = np.log1p(table.data)
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=0)).ravel())
    columns = table @ sparse.diags_array(1.0 / np.where(lengths > 0, lengths, 1.0))
    alike = (columns.T @ columns).toarray()
    np.fill_diagonal(alike, 0.0)
    return np.asarray((table[look.rows] @ alike)[:, look.containers], dtype=np.float64)


def als(look: Look) -> Scores:
    """Alternating least squares (Hu, Koren, Volinsky 2008, as `implicit` has it): cosine with the trigger's authors."""
    from implicit.cpu.als import AlternatingLeastSquares

    return _near_authors(look, AlternatingLeastSquares, iterations=15)


def bpr(look: Look) -> Scores:
    """Bayesian personalised ranking (Rendle et al. 2009, as `implicit` has it): cosine with the trigger's authors."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    return _near_authors(look, BayesianPersonalizedRanking, iterations=40)


def _near_authors(look: Look, kind: Callable[..., Any], iterations: int) -> Scores:
    table = look.took_part.copy()
    table.data = 1.0 + np.log(table.data)
    people = np.flatnonzero(np.diff(table.indptr))
    # Only what was there: else the sheer number of later objects would change where the factors begin.
    there = np.unique(table.indices)
    with threadpool_limits(1, "blas"):  # many small products: threads would wait for each other
        model = kind(factors=_FACTORS, iterations=iterations, random_state=_SEED, num_threads=1)
        model.fit(sparse.csr_matrix(table[people][:, there]), show_progress=False)
    factors = np.zeros((look.sizes[0], model.user_factors.shape[1]), dtype=np.float32)
    factors[people] = model.user_factors
    factors /= np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    return np.asarray(factors[look.rows] @ (look.authors @ factors).T, dtype=np.float64)


def pagerank(look: Look) -> Scores:
    """Personalised PageRank from the authors over people and what they took part in, divided by plain PageRank.

    Without the division it would be popularity in disguise. (Haveliwala, TKDE 2003; lift: the ratio of the two.)
    """
    table = look.took_part.copy()
    table.data[:] = 1.0
    out, back = _stochastic(table), _stochastic(sparse.csr_array(table.T))
    active = np.flatnonzero(np.diff(table.indptr))
    everyone = np.zeros((look.sizes[0], 1), dtype=np.float32)
    everyone[active] = 1.0 / max(len(active), 1)
    starts = np.asarray(look.authors.toarray().T, dtype=np.float32)
    starts /= np.maximum(starts.sum(axis=0), 1.0)
    reached = _walk(out, back, np.hstack([starts, everyone]))
    plain = np.maximum(reached[:, -1:], 1e-12)
    return np.asarray((reached[:, :-1] / plain)[look.rows], dtype=np.float64)


def _stochastic(table: sparse.csr_array) -> sparse.csr_array:
    """Return the table with rows that sum to 1, turned over, so that it moves columns of probabilities."""
    sums = np.asarray(table.sum(axis=1)).ravel()
    scaled = sparse.diags_array(1.0 / np.where(sums > 0, sums, 1.0)) @ table
    return sparse.csr_array(scaled.T)


def _walk(out: sparse.csr_array, back: sparse.csr_array, starts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return where walks that restart at ``starts`` are, person to object to person a step; shape as ``starts``."""
    reached = starts
    for _ in range(_STEPS):
        reached = _RESTART * starts + (1 - _RESTART) * (back @ (out @ reached))
    return reached
