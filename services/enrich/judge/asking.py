"""Asks the plain scorers, week by week, in as many processes as there are processors."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from scipy import sparse

from services.enrich.judge import words
from services.enrich.judge.baselines import BASELINES
from services.enrich.judge.look import Look, look
from services.enrich.judge.metrics import Items, Scores
from services.enrich.judge.weeks import Week
from services.enrich.judge.world import World

_WORTH_PROCESSES = 50_000
"""Events; below, starting a process takes longer than what it saves."""
Answer = tuple[Items, dict[str, Scores]]


def answers(world: World, weeks: Sequence[Week]) -> Iterator[Answer]:
    """Yield for each week what its lists are described by, and the scores (n, m) by scorer."""
    said = words.counts(world.texts)
    processes = os.cpu_count() or 1
    if processes == 1 or len(world.activities) < _WORTH_PROCESSES:
        yield from (_answer(world, said, one) for one in weeks)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (world.without_texts(), said)) as pool:
        yield from pool.map(_answer_here, weeks)


_here: list[tuple[World, sparse.csr_array]] = []
"""What a process was begun with."""


def _begin(world: World, said: sparse.csr_array) -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _here[:] = [(world, said)]


def _answer_here(one: Week) -> Answer:
    return _answer(*_here[0], one)


def _answer(world: World, said: sparse.csr_array, one: Week) -> Answer:
    seen = look(world, said, one)
    return items(seen), {name: np.array(scorer(seen)) for name, scorer in BASELINES.items()}


def items(seen: Look) -> Items:
    """Return -log2 of the share of people who act in each object's container (one added to both), and what it says."""
    people = np.bincount(seen.at_home.indices, minlength=seen.sizes[2])
    active = np.count_nonzero(np.diff(seen.at_home.indptr))
    share = (1 + people[seen.containers]) / (1 + active)
    return Items(-np.log2(np.minimum(share, 1.0)), seen.asked_vectors)
