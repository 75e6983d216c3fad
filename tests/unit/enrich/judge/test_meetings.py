"""What the product says of people is asked at its moment: nothing that follows is known."""

from collections.abc import Sequence

import numpy as np

from services.common.model import Activity, Enriched
from services.enrich.judge.meetings import Meetings, Unaware
from services.enrich.judge.weeks import WEEK
from services.enrich.judge.world import Builder
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.steps.identity import find_people
from services.enrich.steps.text import extract_text
from services.enrich.steps.thread import find_thread
from tests.unit.enrich.judge.made import T, busy, said

_BUSY = [one for person in ("ann", "bob", "cat") for one in busy(person, f"{person}'s")]


def enriched(activities: Sequence[Activity]) -> list[Enriched]:
    ordered = sorted(activities, key=lambda one: one.published)
    return enrich(ordered, Knowledge(), (find_people, find_thread, extract_text), ())


def asked(activities: Sequence[Activity], starts: Sequence[int]) -> dict[int, np.ndarray]:
    builder = Builder()
    meetings = Meetings(starts, builder.world)
    for one in enriched(activities):
        builder.add([one])
        meetings.take([one])
    meetings.end()
    return meetings.answers


def test_every_pair_is_scored_at_each_moment_and_the_same_both_ways() -> None:
    answers = asked([*_BUSY, said("ann", "late", 40)], [T, T + WEEK])
    assert list(answers) == [T, T + WEEK]
    assert answers[T].shape == (3, 3)
    assert (answers[T] == answers[T].T).all()


def test_nothing_that_follows_changes_what_was_said_of_a_pair() -> None:
    future = [said(by, f"talk {n}", 1 + n) for n in range(5) for by in ("ann", "bob")]
    alone, later = asked([*_BUSY, said("ann", "late", 40)], [T]), asked([*_BUSY, *future], [T])
    np.testing.assert_array_equal(alone[T], later[T])


def test_two_groups_on_the_same_work_are_told_once_without_the_names_of_people() -> None:
    words = "parser grammar tokens lookahead ann recovery"
    work = [
        said(f"{side} {person}", f"{side} {n}", -20 + n, words, channel=side)
        for side in ("north", "south")
        for n in range(5)
        for person in range(4)
    ]
    others = [said(f"x{n}", f"other {n}", -9, f"subject{n} thing{n}", channel=f"c{n}") for n in range(8)]
    unaware = Unaware([T, T + WEEK])
    unaware.take(enriched([*work, *others, *_BUSY, said("ann", "late", 20)]))
    [(at, pair)] = unaware.found.values()
    assert (at, pair.containers, pair.people) == (T, ("north", "south"), (4, 4))
    assert "parser" in pair.words
    assert "ann" not in pair.words
