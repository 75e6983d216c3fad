"""Scorers that compare what a trigger says with what people said before."""

import numpy as np
from scipy import sparse

from services.enrich.judge import words
from services.enrich.judge.look import Look
from services.enrich.judge.metrics import Scores

_SIMILAR = 50


def profile(look: Look) -> Scores:
    """Cosine of the trigger's TF-IDF and the person's: the sum of the objects in which the person took part."""
    objects, asked = look.compared
    return _dense(words.unit(_involved(look) @ objects) @ asked.T)


def embedding(look: Look) -> Scores:
    """Cosine of the trigger's embedding and the mean of the person's."""
    people = look.acted[look.rows] @ look.vectors
    people /= np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-9)
    return np.asarray(people @ look.asked_vectors.T, dtype=np.float64)


def experts(look: Look) -> Scores:
    """Who took part in the 50 past objects most like the trigger, by all that was said in them."""
    return _experts(look, *look.compared)


def experts_first(look: Look) -> Scores:
    """The same, of a past object only what it began with."""
    documents = look.begun @ look.said
    idf = words.weights(documents[np.flatnonzero(np.diff(documents.indptr))])
    return _experts(look, words.weighted(documents, idf), words.weighted(look.asked, idf))


def _experts(look: Look, objects: sparse.csr_array, asked: sparse.csr_array) -> Scores:
    known = np.flatnonzero(np.diff(objects.indptr))
    likeness = _dense(asked @ objects[known].T)
    count = min(_SIMILAR, likeness.shape[1])
    if not count:
        return np.zeros((len(look.rows), len(look.at)))
    nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    kept = np.take_along_axis(likeness, nearest, axis=1)
    rows = np.repeat(np.arange(len(likeness)), count)
    similar = sparse.csr_array((kept.ravel(), (rows, nearest.ravel())), shape=likeness.shape)
    return _dense(_involved(look)[:, known] @ similar.T)


def _involved(look: Look) -> sparse.csr_array:
    """Return log(1 + how often) each person of the week engaged in each object."""
    table = look.took_part[look.rows].copy()
    table.data = np.log1p(table.data)
    return table


def _dense(table: sparse.csr_array) -> Scores:
    return np.asarray(table.toarray(), dtype=np.float64)
