"""Scoring in one process: rate and cost by people and by past objects, memory, and other ways to the same answer.

Every activity asked about begins something, which is the dearest case. Beside it, in the same run: all people scored
exactly, a product of the matrix of all profiles with the new vector, and `implicit` (ALS).
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

import numpy as np
import psutil
from numpy.typing import NDArray

from bench.crowd import Crowd
from bench.table import Row
from services.common.model import Enriched
from services.enrich.scoring.engagements import engagements
from services.enrich.scoring.recommend import Asked, Begun, Recommender
from services.enrich.scoring.relevance import Limits, Relevance, Trigger

COMPARED = (10_000, 15_000)
SIZES = ((1_000, 15_000), COMPARED, (100_000, 15_000), (10_000, 150_000))
"""People and past objects: few, usual, many people, many objects."""
ANSWERS = 1
ASKED = 320
CHUNK = 64
EXACT = 60
TOP = 10
FACTORS = 64
ALONE = 1


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of the processor."""

    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Spent:
    """Run something and measure it."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def megabytes() -> float:
    """Return what this process holds."""
    gc.collect()
    return float(psutil.Process().memory_info().rss / (1 << 20))


async def measure(_: str, __: str) -> list[Row]:
    """Score against histories of several sizes, each in a process of its own, so that memory is that of one."""
    return await asyncio.to_thread(_measured)


@dataclass(frozen=True)
class Taken:
    """What one size cost: seconds of CPU for an activity taken in, and for a beginning scored; and memory in MB."""

    people: int
    objects: int
    observed: float
    scored: float
    wall: float
    held: float
    beside: tuple[Row, ...] = ()

    @property
    def activity(self) -> float:
        """Seconds of CPU for an activity of which as many begin something as in the made-up organisation."""
        return self.observed + self.scored / (1 + ANSWERS)


def _measured(sizes: Sequence[tuple[int, int]] = SIZES) -> list[Row]:
    found: list[Taken] = []
    for size in sizes:
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            found.append(alone.submit(taken, *size).result())
    few, usual, many, more = found
    return [
        *(row for one in found for row in (*_rows(one), *one.beside)),
        growth("people", many.scored / few.scored, many.people // few.people),
        growth("objects", more.scored / usual.scored, more.objects // usual.objects),
        Row("score: memory, a person", _each(many.held - few.held, many.people - few.people), "KB"),
        Row("score: memory, an object", _each(more.held - usual.held, more.objects - usual.objects), "KB"),
    ]


def _rows(one: Taken) -> list[Row]:
    where = f"{one.people:,} people, {one.objects:,} objects"
    return [
        Row(f"score: {where}", 1 / one.wall, "beginnings/s"),
        Row(f"score: CPU, {where}", 1_000 * one.scored, "s per 1,000 beginnings"),
        Row(f"score: taken in, {where}", 1_000 * one.observed, "s per 1,000 activities"),
        Row(f"score: both, {where}", 1 / one.activity, "activities/s", f"1 of {1 + ANSWERS} begins something"),
        Row(f"score: memory, {where}", one.held, "MB"),
    ]


def _each(megabytes: float, count: int) -> float:
    return megabytes * 1_024 / count


def taken(people: int, objects: int) -> Taken:
    """Measure one size. Runs in a process of its own."""
    crowd, recommender = Crowd(people), fresh()
    crowd.sums[:] = 0.0  # so that its memory is there before
    before = megabytes()
    learnt = learn(recommender, crowd.activities(objects, ANSWERS))
    held = megabytes() - before
    asked = [crowd.begin() for _ in range(ASKED)]
    score(recommender, [crowd.begin() for _ in range(CHUNK)])  # what is found out once a week is found out
    cost = spent(lambda: score(recommender, asked))
    compared = (people, objects) == COMPARED
    return Taken(
        people=people,
        objects=objects,
        observed=learnt.cpu / objects / (1 + ANSWERS),
        scored=cost.cpu / ASKED,
        wall=cost.wall / ASKED,
        held=held,
        beside=tuple(beside(crowd, recommender, asked[:EXACT], cost.cpu / ASKED)) if compared else (),
    )


def growth(of: str, cost: float, times: int) -> Row:
    """Return by how much the cost grows where something grows."""
    return Row(f"score: cost at {times} x the {of}", cost, "x", f"{of}: {times} x", cost / times, "ratio <= 0.3")


def fresh() -> Recommender:
    """Return one that knows nothing, where everybody may open everything."""
    return Recommender(
        Relevance(limits=Limits(objects=200_000)),
        Asked(may_open=lambda *_: True, left=lambda _: False, unit=lambda _: ""),
    )


def learn(recommender: Recommender, history: Iterator[Enriched]) -> Spent:
    """Take a history in; return what that took, without making it up."""
    wall = cpu = 0.0
    while chunk := list(islice(history, 2_000)):
        one = spent(lambda chunk=chunk: _taken(recommender, chunk))  # type: ignore[misc]
        wall, cpu = wall + one.wall, cpu + one.cpu
    return Spent(wall, cpu)


def _taken(recommender: Recommender, chunk: Sequence[Enriched]) -> None:
    for one in chunk:
        if recommender.full(one):
            recommender.flush()
        recommender.take(one)


def score(recommender: Recommender, asked: Sequence[Enriched]) -> int:
    """Score these as the service does; return how many recommendations came of it."""
    found = 0
    for start in range(0, len(asked), CHUNK):
        recommender.flush()
        begun = [Begun(n, one, recommender.take(one)) for n, one in enumerate(asked[start : start + CHUNK])]
        found += sum(map(len, recommender.recommend(begun)))
    return found


def beside(crowd: Crowd, recommender: Recommender, asked: Sequence[Enriched], ours: float) -> list[Row]:
    """Return how near the index comes to scoring everybody, and what plainer ways cost and find."""
    people = [f"p{n}" for n in range(crowd.people)]
    triggers = [Trigger.of(one, engagements(one)[0]) for one in asked]
    exact: list[list[str]] = []
    all_of_them = spent(lambda: exact.extend(best(recommender, trigger, people) for trigger in triggers))
    index = [best(recommender, t, recommender.relevance.select(t, 250)) for t in triggers]
    found = sum(len({*one} & {*other}) for one, other in zip(exact, index, strict=True))
    recall = found / sum(map(len, exact))
    right = fitting(crowd, asked, index)
    rows = [
        Row("score: top 10 by the index, of the exact ones", recall, "", "scoring everybody", recall, ">= 0.97"),
        Row("score: CPU by the index", 1_000 * ours, "ms each", each("scoring everybody", all_of_them), None),
        Row("score: top 10 who keep to the topic", right, "of 10"),
    ]
    for name, way in (("matrix product", products), ("implicit ALS", als)):
        answer, cost = way(crowd, asked)
        rows.append(
            Row(
                f"score: {name}, top 10 who keep to the topic",
                fitting(crowd, asked, answer),
                "of 10",
                each(f"{name}, CPU", cost),
            )
        )
    return rows


def each(name: str, cost: Spent) -> str:
    """Say what one of those asked about cost."""
    return f"{name}: {1_000 * cost.cpu / EXACT:.3g} ms each"


def best(recommender: Recommender, trigger: Trigger, people: Sequence[str]) -> list[str]:
    """Return the likeliest of these people to whom it would come unexpected."""
    out = {*trigger.people, *trigger.mentioned}
    gate = recommender.relevance.gate
    eligible = [person for person in people if person not in out and gate(person, trigger.container)]
    if not eligible:
        return []
    [scores] = recommender.relevance.score_batch([trigger], [eligible])
    return [eligible[i] for i in np.argsort(-np.asarray(scores.score), kind="stable")[:TOP]]


def fitting(crowd: Crowd, asked: Sequence[Enriched], found: Sequence[Sequence[str]]) -> float:
    """Return how many of the ten keep to the topic of what they would be told of, on average."""
    topics = [int(one.tags[0]) for one in asked]
    hits = [
        sum(topic in crowd.topics_of[int(person[1:])] for person in people)
        for topic, people in zip(topics, found, strict=True)
    ]
    return float(np.mean(hits))


def products(crowd: Crowd, asked: Sequence[Enriched]) -> tuple[list[list[str]], Spent]:
    """Multiply the vectors of all people (the mean of what they wrote) with that of each new thing."""
    profiles = crowd.sums / np.maximum(np.linalg.norm(crowd.sums, axis=1, keepdims=True), 1e-9)
    vectors = [np.frombuffer(one.vector, dtype="<f2").astype(np.float32) for one in asked]
    return _top(profiles, vectors)


def _top(profiles: NDArray[np.float32], vectors: Sequence[NDArray[np.float32]]) -> tuple[list[list[str]], Spent]:
    found: list[list[str]] = []
    cost = spent(lambda: found.extend(_nearest(profiles @ vector) for vector in vectors))
    return found, cost


def _nearest(scores: NDArray[np.float32]) -> list[str]:
    top = np.argpartition(-scores, TOP)[:TOP]
    return [f"p{n}" for n in top[np.argsort(-scores[top])]]


def als(crowd: Crowd, asked: Sequence[Enriched]) -> tuple[list[list[str]], Spent]:
    """Fold each new thing, of which only its author is known, into a model of who took part in what."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    again = Crowd(crowd.people)
    pairs = [(int(one.person[1:]), one.activity.object.id) for one in again.activities(15_000)]
    things = {thing: n for n, thing in enumerate(dict.fromkeys(thing for _, thing in pairs))}
    people, objects = np.array([p for p, _ in pairs]), np.array([things[t] for _, t in pairs])
    taken_part = csr_matrix((np.ones(len(pairs), np.float32), (people, objects)), (crowd.people, len(things)))
    model = AlternatingLeastSquares(factors=FACTORS, iterations=10, num_threads=ALONE, random_state=1)
    model.fit(taken_part, show_progress=False)
    authors = [int(one.person[1:]) for one in asked]
    rows = csr_matrix((np.ones(len(asked), np.float32), (np.arange(len(asked)), authors)), (len(asked), crowd.people))
    found: list[list[str]] = []

    def answer() -> None:
        folded = model.recalculate_item(np.arange(len(asked)), rows)
        found.extend(_nearest(model.user_factors @ one) for one in folded)

    return found, spent(answer)
