"""Who will meet: the judge of people links, and the plain scorers of it.

At T, every fourth week of the test: pairs of people who share no object of at most 30 people in H. A pair *meets* when,
within 180 days, both engage in at least two objects that at most 8 people engage in during that time. Activity-matched
AUC compares a true partner only with people about as active, since otherwise "the most active" looks excellent.
Adamic-Adar: Adamic & Adar, Social Networks 2003; the others as in Liben-Nowell & Kleinberg, JASIST 2007.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata

from services.enrich.judge.metrics import Scores, interval
from services.enrich.judge.weeks import HISTORY, eligible
from services.enrich.judge.world import DAY, Flags, Ints, World

MEET_WITHIN = 180 * DAY
EVERY_WEEKS = 4
MOST_TO_SHARE = 30
MOST_TO_MEET = 8
LEAST_MEETINGS = 2
MATCHED = (2 / 3, 3 / 2)


@dataclass(frozen=True, slots=True)
class Moment:
    """The pairs at T (micros) among n people. ``candidates`` and ``meets`` are symmetric, shape (n, n).

    ``linked`` has, per person, ones for everybody in the world with whom a small object was shared in H, and
    ``degrees``, per person of the world, how many these are.
    """

    start: int
    people: Ints
    actions: Ints
    linked: sparse.csr_array
    degrees: NDArray[np.float64]
    candidates: Flags
    meets: Flags


Linker = Callable[[Moment], Scores]


def moments(starts: Sequence[int], last: int) -> list[int]:
    """Return the T (micros) at which links are judged: every fourth week that has 180 days before ``last``."""
    return [start for start in starts[::EVERY_WEEKS] if start + MEET_WITHIN <= last]


def moment(world: World, start: int) -> Moment:
    """Return the pairs at T and which of them come to meet."""
    people, actions = eligible(world, start)
    before = _together(world, start - HISTORY, start, MOST_TO_SHARE)
    everyone = sparse.csr_array(before @ before.T)
    everyone.setdiag(0.0)
    everyone.eliminate_zeros()
    everyone.data[:] = 1.0
    degrees = np.asarray(everyone.sum(axis=0), dtype=np.float64).ravel()
    shared = everyone[people]
    near = shared[:, people].toarray() > 0
    np.fill_diagonal(near, val=True)
    after = _together(world, start + 1, start + MEET_WITHIN + 1, MOST_TO_MEET)[people]
    meetings = (after @ after.T).toarray()
    return Moment(start, people, actions, shared, degrees, ~near, ~near & (meetings >= LEAST_MEETINGS))


def _together(world: World, start: int, end: int, most: int) -> sparse.csr_array:
    """Return ones where a person engaged in an object of at most so many people in start <= time < end."""
    engaged = world.engaged
    span = engaged.between(start, end)
    shape = (len(world.people), len(world.objects))
    ones = np.ones(span.stop - span.start, dtype=np.float32)
    found = sparse.coo_array((ones, (engaged.person[span], engaged.object[span])), shape=shape).tocsr()
    found.data[:] = 1.0
    sizes = np.asarray(found.sum(axis=0)).ravel()
    return sparse.csr_array(found @ sparse.diags_array((sizes <= most).astype(np.float32)))


def chance(found: Moment) -> Scores:
    """All alike."""
    return np.zeros(found.candidates.shape)


def preferential_attachment(found: Moment) -> Scores:
    """Product of how much both do."""
    return np.outer(found.actions, found.actions).astype(np.float64)


def common_neighbours(found: Moment) -> Scores:
    """How many people both have shared a small object with."""
    return np.asarray((found.linked @ found.linked.T).toarray(), dtype=np.float64)


def adamic_adar(found: Moment) -> Scores:
    """The same, each person counted by 1 / ln(how many people they have shared a small object with)."""
    rare = sparse.diags_array(1.0 / np.log(np.maximum(found.degrees, 2.0)))
    return np.asarray((found.linked @ rare @ found.linked.T).toarray(), dtype=np.float64)


PLAIN: Mapping[str, Linker] = {
    "random": chance,
    "preferential-attachment": preferential_attachment,
    "common-neighbours": common_neighbours,
    "adamic-adar": adamic_adar,
}


def measure(found: Moment, scores: Scores) -> NDArray[np.float64]:
    """Return AUC, MRR and matched AUC at one T; equal scores share their ranks. NaN where nobody meets."""
    upper = np.triu(found.candidates, 1)
    ours = found.meets[upper]
    if not ours.any():
        return np.full(3, np.nan)
    return np.array([_auc(scores[upper], ours), _mrr(found, scores), _matched(found, scores)])


def _auc(scores: Scores, right: Flags) -> float:
    ranks = rankdata(scores)
    count, others = int(right.sum()), int((~right).sum())
    return float((ranks[right].sum() - count * (count + 1) / 2) / (count * others)) if others else 0.5


def _mrr(found: Moment, scores: Scores) -> float:
    """Return the mean, over people who meet somebody, of 1 / the rank of the best of these."""
    reciprocal = []
    for row in np.flatnonzero(found.meets.any(axis=1)):
        kept = found.candidates[row]
        ranks = rankdata(-scores[row][kept])
        reciprocal.append(1.0 / ranks[found.meets[row][kept]].min())
    return float(np.mean(reciprocal))


def _matched(found: Moment, scores: Scores) -> float:
    """Return the mean, over people and their true partners, of the AUC against others as active as the partner."""
    low, high = MATCHED
    areas = []
    for row, partner in np.argwhere(found.meets):
        ratio = found.actions / found.actions[partner]
        others = found.candidates[row] & ~found.meets[row] & (ratio >= low) & (ratio <= high)
        if others.any():
            against = scores[row][others]
            areas.append(np.mean(against < scores[row, partner]) + 0.5 * np.mean(against == scores[row, partner]))
    return float(np.mean(areas)) if areas else np.nan


def result(scorer: str, measured: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """Return the means over T by name, with 95 % intervals by drawing T with replacement."""
    table = np.array(measured).reshape(-1, 3)
    found: dict[str, Any] = {"scorer": scorer}
    for number, name in enumerate(("auc", "mrr", "matched_auc")):
        known = table[~np.isnan(table[:, number]), number]
        found[name] = float(known.mean()) if len(known) else None
        found[f"{name}_ci"] = interval(known, np.ones(len(known)))
    return found
