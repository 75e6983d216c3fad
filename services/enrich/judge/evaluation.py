"""The whole judgement: a file is read once, and every scorer is asked the same and measured by the same rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.enrich.judge import links, periods, words
from services.enrich.judge.baselines import BASELINES
from services.enrich.judge.look import Look, look
from services.enrich.judge.metrics import Items, Tally, tie_breaks
from services.enrich.judge.reading import Told, read
from services.enrich.judge.weeks import WEEK, Week, week
from services.enrich.judge.world import Builder, World

LIMIT = "Positives are what people found anyway: there is no exposure log. Only feedback in use proves serendipity."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be judged: a file, and the periods as micros (begin, end), or None for the default."""

    path: str
    test: tuple[int, int] | None = None
    train: tuple[int, int] | None = None


def evaluate(asked: Asked, told: Told) -> dict[str, Any]:
    """Return the report, in the form that `--json` prints. Raises Stop when the file cannot be judged."""
    builder = Builder()
    for batch in read(asked.path, told):
        builder.add(batch)
    world = builder.world()
    test = periods.starts(world, asked.test, "test")
    found = [week(world, start) for start in test]
    return {
        "scorers": plain(world, found, told),
        "people": people(world, test, told),
        "protocol": protocol(world, found),
    }


def plain(world: World, found: Sequence[Week], told: Told) -> list[dict[str, Any]]:
    """Return what the plain scorers achieve."""
    said = words.counts(world.texts)
    tallies = {name: Tally(name) for name in BASELINES}
    for number, one in enumerate(found, 1):
        seen = look(world, said, one)
        breaks = tie_breaks(one, one.people, one.objects)
        about = items(seen)
        for name, scorer in BASELINES.items():
            tallies[name].add(one, scorer(seen), breaks, about)
        told("plain scorers", number, len(found))
    return [tally.result() for tally in tallies.values()]


def items(seen: Look) -> Items:
    """Return -log2 of the share of people who act in each object's container (one added to both), and what it says."""
    people = np.bincount(seen.at_home.indices, minlength=seen.sizes[2])
    active = np.count_nonzero(np.diff(seen.at_home.indptr))
    share = (1 + people[seen.containers]) / (1 + active)
    return Items(-np.log2(np.minimum(share, 1.0)), seen.asked_vectors)


def people(world: World, test: Sequence[int], told: Told) -> list[dict[str, Any]]:
    """Return what the scorers of people links achieve; nothing where the data end too early to know who met."""
    measured: dict[str, list[NDArray[np.float64]]] = {name: [] for name in links.PLAIN}
    starts = links.moments(world, test)
    for number, start in enumerate(starts, 1):
        found = links.moment(world, start)
        for name, scorer in links.PLAIN.items():
            measured[name].append(links.measure(found, scorer(found)))
        told("people links", number, len(starts))
    return [links.result(name, rows) for name, rows in measured.items()] if starts else []


def protocol(world: World, found: Sequence[Week]) -> dict[str, Any]:
    """Return what was judged, in numbers."""
    return {
        "from": periods.said(found[0].start),
        "to": periods.said(found[-1].start + WEEK),
        "weeks": len(found),
        "activities": len(world.activities),
        "people_per_week": float(np.mean([len(one.people) for one in found])),
        "objects_per_week": float(np.mean([len(one.objects) for one in found])),
        "pairs": int(sum(one.candidates.sum() for one in found)),
        "positives": int(sum(one.positive.sum() for one in found)),
        "summoned": int(sum(one.summoned.sum() for one in found)),
        "people_links_at": [periods.said(start) for start in links.moments(world, [one.start for one in found])],
        "limit": LIMIT,
    }
