"""Scorers that compare what a trigger says with what people said before."""

import numpy as np
from scipy import sparse

from services.enrich.judge import words
from services.enrich.judge.look import Look
from services.enrich.judge.metrics import Scores

_SIMILAR = 50


def profile(look: Look) -> Scores:
    """Cosine of the trigger's TF-IDF and the person's: the sum over what the person took part in."""
    idf = words.weights(look.said)
    people = words.unit(look.acted[look.rows] @ words.weighted(look.said, idf))
    return _dense(people @ words.weighted(look.asked, idf).T)


def embedding(look: Look) -> Scores:
    """Cosine of the trigger's embedding and the mean of the person's."""
    people = look.acted[look.rows] @ look.vectors
    people /= np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-9)
    return np.asarray(people @ look.asked_vectors.T, dtype=np.float64)


def experts(look: Look) -> Scores:
    """Who took part in the 50 past objects most like the trigger, each weighted by its likeness."""
    documents = look.belongs @ look.said
    idf = words.weights(documents[np.flatnonzero(np.diff(documents.indptr))])
    likeness = _dense(words.weighted(look.asked, idf) @ words.weighted(documents, idf).T)
    count = min(_SIMILAR, likeness.shape[1])
    nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count] if count else np.zeros((len(likeness), 0), int)
    kept = np.take_along_axis(likeness, nearest, axis=1)
    rows = np.repeat(np.arange(len(likeness)), count)
    similar = sparse.csr_array((kept.ravel(), (rows, nearest.ravel())), shape=likeness.shape)
    there = look.took_part[look.rows].copy()
    there.data[:] = 1.0
    return _dense(there @ similar.T)


def _dense(table: sparse.csr_array) -> Scores:
    return np.asarray(table.toarray(), dtype=np.float64)
