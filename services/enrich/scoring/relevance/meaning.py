"""What vectors of texts usually look like, so that what is unusual about one stands out. Pure.

Means of words' vectors all point the same way. Taking off the mean and whitening by the inverse of the
covariance makes the product with a person's mean vector a linear discriminant (Fisher 1936) of that person's texts.
"""

import numpy as np
from numpy.typing import NDArray

from services.common.embedding import DIMENSIONS

_SHRINKAGE = 0.3
"""Share of the mean variance added to each direction: with few texts most directions are noise."""
_GROWN = 1.25
_BLOCK = 64


class Meaning:
    """Mean and covariance of the vectors seen."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = np.zeros(DIMENSIONS)
        self._products = np.zeros((DIMENSIONS, DIMENSIONS))
        self._pending: list[NDArray[np.float32]] = []
        self._inverted_at = 0.0
        self._inverse = np.eye(DIMENSIONS, dtype=np.float32)

    def add(self, vector: NDArray[np.float32]) -> None:
        """Take in a vector."""
        self._pending.append(vector)
        if len(self._pending) >= _BLOCK or not self._count:
            self._take_in()

    def _take_in(self) -> None:
        block = np.array(self._pending, dtype=np.float32)
        self._sum += block.sum(axis=0)
        self._products += block.T @ block
        self._count += len(block)
        self._pending.clear()

    def mean(self) -> NDArray[np.float32]:
        """Return the mean vector, of all but the newest few."""
        return (self._sum / max(self._count, 1)).astype(np.float32)

    def whitening(self) -> NDArray[np.float32]:
        """Return the inverse of the covariance, shrunk; computed anew after a quarter more vectors."""
        if self._count > _GROWN * self._inverted_at + 16:
            self._inverted_at = self._count
            mean = self._sum / self._count
            covariance = self._products / self._count - np.outer(mean, mean)
            ridge = _SHRINKAGE * max(float(np.trace(covariance)), 1e-6) / DIMENSIONS
            self._inverse = np.linalg.inv(covariance + ridge * np.eye(DIMENSIONS)).astype(np.float32)
        return self._inverse
