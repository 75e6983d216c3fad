"""TF-IDF of texts, sparse. Pure."""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_WORD = re.compile(r"[^\W\d_][\w'-]{1,39}")
_LONGEST = 4_000
"""Characters of a text that are read."""


def counts(texts: Iterable[str], told: Callable[[int], None] = lambda _: None) -> sparse.csr_array:
    """Return how often each word stands in each text, shape (texts, words)."""
    vocabulary: dict[str, int] = {}
    words, occurrences, ends = array("i"), array("f"), array("q", [0])
    for number, text in enumerate(texts):
        for word, count in Counter(_WORD.findall(text[:_LONGEST].lower())).items():
            words.append(vocabulary.setdefault(word, len(vocabulary)))
            occurrences.append(count)
        ends.append(len(words))
        if number % 20_000 == 0:
            told(number)
    data, columns = np.array(occurrences, dtype=np.float32), np.array(words, dtype=np.int32)
    shape = (len(ends) - 1, max(len(vocabulary), 1))
    return sparse.csr_array((data, columns, np.array(ends, dtype=np.int64)), shape=shape)


def weights(documents: sparse.csr_array) -> NDArray[np.float32]:
    """Return the inverse document frequency of each word, log((1 + n) / (1 + df)); 0 for unknown ones."""
    frequency = np.bincount(documents.indices, minlength=documents.shape[1])
    found = np.log((1 + documents.shape[0]) / (1 + frequency))
    return np.where(frequency > 0, found, 0.0).astype(np.float32)


def weighted(documents: sparse.csr_array, idf: NDArray[np.float32]) -> sparse.csr_array:
    """Return unit rows of (1 + log count) x idf; a row without known words stays empty."""
    found = documents.copy()
    found.data = (1.0 + np.log(found.data)) * idf[found.indices]
    return unit(found)


def unit(rows: sparse.csr_array) -> sparse.csr_array:
    """Return the rows divided by their Euclidean length."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    found = rows.copy()
    found.data = found.data / np.repeat(np.where(lengths > 0, lengths, 1.0), np.diff(found.indptr)).astype(np.float32)
    return found
