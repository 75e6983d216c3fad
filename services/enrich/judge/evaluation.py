"""The whole judgement: a file is replayed once, and every scorer is asked the same and measured by the same rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.common.collecting import seldom_collected
from services.enrich.judge import asking, links, periods
from services.enrich.judge.baselines import BASELINES
from services.enrich.judge.meetings import Meetings, Unaware
from services.enrich.judge.metrics import Scores, Tally, tie_breaks
from services.enrich.judge.products import OURS, ROWS, Scorer
from services.enrich.judge.reading import Told, opened_history, read
from services.enrich.judge.replay import Replay
from services.enrich.judge.weeks import WEEK, Week, week
from services.enrich.judge.world import Builder, World
from services.enrich.meeting.same_work import SameWork

LIMIT = "Positives are what people found anyway: there is no exposure log. Only feedback in use proves serendipity."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be judged: a file, and the periods as micros (begin, end), or None for the default."""

    path: str
    test: tuple[int, int] | None = None
    train: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What happened, the weeks of the test, and what the product said on each T: of objects and of people."""

    world: World
    weeks: Sequence[Week]
    answers: Mapping[int, Mapping[str, Scores]]
    meetings: Mapping[int, Scores]
    unaware: Mapping[str, tuple[int, SameWork]]
    train: Sequence[int]


def evaluate(asked: Asked, told: Told) -> dict[str, Any]:
    """Return the report, in the form that `--json` prints. Raises Stop when the file cannot be judged."""
    return report(replay(asked, told), told)


def report(replayed: Replayed, told: Told) -> dict[str, Any]:
    """Return what every scorer achieved, in the form that `--json` prints."""
    return {
        "scorers": scorers(replayed, told),
        "people": people(replayed, told),
        "protocol": protocol(replayed),
    }


def replay(asked: Asked, told: Told, *, groups: bool = False) -> Replayed:
    """Return what the product says of a file's weeks, and what came of them; of groups, too, where that is wanted."""
    history = opened_history(asked.path, told)
    test = periods.starts(history.first, history.last, asked.test, "test")
    train = periods.starts(history.first, history.last, asked.train, "train") if asked.train else []
    if train:
        periods.check_apart(train, test)
    builder = Builder()
    product = Replay(Scorer(builder.world, train), [*train, *test], builder.world)
    meetings = Meetings(links.moments(test, history.last), builder.world)
    unaware = Unaware(test[:: links.EVERY_WEEKS])
    with seldom_collected():
        for batch in read(history, told):
            builder.add(batch)
            product.take(batch)
            meetings.take(batch)
            if groups:
                unaware.take(batch)
    product.end()
    meetings.end()
    world = builder.world()
    weeks = [week(world, start) for start in test]
    return Replayed(world, weeks, product.answers, meetings.answers, unaware.found, train)


def scorers(replayed: Replayed, told: Told) -> list[dict[str, Any]]:
    """Return what each scorer achieves, the plain ones first."""
    tallies = {name: Tally(name) for name in (*BASELINES, *ROWS)}
    found = replayed.weeks
    for number, (one, (about, plain)) in enumerate(zip(found, asking.answers(replayed.world, found), strict=True), 1):
        breaks = tie_breaks(one, one.people, one.objects)
        for name, scores in {**plain, **replayed.answers[one.start]}.items():
            tallies[name].add(one, scores, breaks, about)
        told("judging", number, len(found))
    return [tally.result() for tally in tallies.values()]


def people(replayed: Replayed, told: Told) -> list[dict[str, Any]]:
    """Return what the scorers of people links achieve; nothing where the data end too early to know who met."""
    measured: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*links.PLAIN, OURS)}
    for number, (start, ours) in enumerate(replayed.meetings.items(), 1):
        found = links.moment(replayed.world, start)
        for name, scorer in links.PLAIN.items():
            measured[name].append(links.measure(found, scorer(found)))
        measured[OURS].append(links.measure(found, ours))
        told("judging people links", number, len(replayed.meetings))
    return [links.result(name, rows) for name, rows in measured.items()] if replayed.meetings else []


def protocol(replayed: Replayed) -> dict[str, Any]:
    """Return what was judged, in numbers."""
    found, train = replayed.weeks, replayed.train
    return {
        "from": periods.said(found[0].start),
        "to": periods.said(found[-1].start + WEEK),
        "weeks": len(found),
        "trained_on": [periods.said(train[0]), periods.said(train[-1] + WEEK)] if train else None,
        "activities": len(replayed.world.activities),
        "people_per_week": float(np.mean([len(one.people) for one in found])),
        "objects_per_week": float(np.mean([len(one.objects) for one in found])),
        "pairs": int(sum(one.candidates.sum() for one in found)),
        "positives": int(sum(one.positive.sum() for one in found)),
        "summoned": int(sum(one.summoned.sum() for one in found)),
        "people_links_at": [periods.said(start) for start in replayed.meetings],
        "limit": LIMIT,
    }
