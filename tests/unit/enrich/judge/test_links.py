"""Who will meet: pairs, who comes to meet, and measures in which being busy is no merit."""

import numpy as np
import pytest
from scipy import sparse

from services.common.model import Activity
from services.enrich.judge.links import (
    MEET_WITHIN,
    Moment,
    adamic_adar,
    common_neighbours,
    measure,
    moment,
    moments,
    preferential_attachment,
    result,
)
from services.enrich.judge.weeks import WEEK
from services.enrich.judge.world import DAY, World
from tests.unit.enrich.judge.made import T, busy, said, world

_BASE = [one for person in ("ann", "bob", "cat", "dan") for one in busy(person, "den")]


def together(thread: str, day: float, *people: str) -> list[Activity]:
    return [said(person, thread, day + n / 100) for n, person in enumerate(people)]


def pair(found: Moment, of: World, table: str, one: str, other: str) -> bool:
    names = [of.people[number] for number in found.people]
    flags = getattr(found, table)
    assert (flags == flags.T).all()
    return bool(flags[names.index(one), names.index(other)])


def test_who_shared_a_small_object_in_the_year_before_is_no_pair() -> None:
    of = world(_BASE, together("small", -100, "ann", "bob"), together("old", -400, "ann", "cat"))
    found = moment(of, T)
    assert not pair(found, of, "candidates", "ann", "bob")
    assert pair(found, of, "candidates", "ann", "cat")


@pytest.mark.parametrize(("others", "candidates"), [(28, False), (29, True)])
def test_an_object_of_more_than_30_people_links_nobody(others: int, *, candidates: bool) -> None:
    of = world(_BASE, together("big", -100, "ann", "bob", *(f"p{n}" for n in range(others))))
    assert pair(moment(of, T), of, "candidates", "ann", "bob") is candidates


@pytest.mark.parametrize(
    ("days", "guests", "meets"),
    [((1, 2), 0, True), ((1,), 0, False), ((1, 179.9), 6, True), ((1, 2), 7, False), ((1, 181), 0, False)],
)
def test_a_pair_meets_in_two_objects_of_at_most_8_people_within_180_days(
    days: tuple[float, ...], guests: int, *, meets: bool
) -> None:
    extra = [f"guest {n}" for n in range(guests)]
    of = world(_BASE, *(together(f"talk {n}", day, "ann", "bob", *extra) for n, day in enumerate(days)))
    assert pair(moment(of, T), of, "meets", "ann", "bob") is meets


def test_links_are_judged_every_fourth_week_as_long_as_180_days_follow() -> None:
    assert moments([T + n * WEEK for n in range(9)], T + 210 * DAY) == [T, T + 4 * WEEK]
    assert moments([T], T + 179 * DAY) == []
    assert MEET_WITHIN == 180 * DAY


def test_plain_scorers_count_friends_of_friends_and_the_rarer_friend_for_more() -> None:
    via_cat = [*together("a", -50, "ann", "cat"), *together("b", -49, "cat", "bob")]
    crowd = [one for n in range(9) for one in together(f"c{n}", -48, "cat", f"p{n}")]
    via_eve = [*together("d", -47, "ann", "eve"), *together("e", -46, "eve", "dan")]
    of = world(_BASE, busy("eve", "den"), via_cat, crowd, via_eve)
    found = moment(of, T)
    names = [of.people[number] for number in found.people]
    ann, bob, dan = (names.index(name) for name in ("ann", "bob", "dan"))
    assert common_neighbours(found)[ann, bob] == common_neighbours(found)[ann, dan] == 1
    assert adamic_adar(found)[ann, dan] > adamic_adar(found)[ann, bob] > 0
    assert preferential_attachment(found)[ann, bob] == found.actions[ann] * found.actions[bob]


def test_activity_alone_looks_excellent_until_it_is_matched() -> None:
    """Twenty busy people of whom ten pairs meet, among eighty idle ones."""
    n = 100
    actions = np.where(np.arange(n) < 20, 1_000, 20)
    meets = np.zeros((n, n), dtype=bool)
    for one in range(0, 20, 2):
        meets[one, one + 1] = meets[one + 1, one] = True
    found = Moment(T, np.arange(n), actions, sparse.csr_array((n, n)), np.zeros(n), ~np.eye(n, dtype=bool), meets)
    busiest, _, matched = measure(found, preferential_attachment(found))
    knows, rank, exact = measure(found, meets.astype(float))
    assert busiest > 0.95
    assert matched == 0.5
    assert (knows, rank, exact) == (1.0, 1.0, 1.0)


def test_where_nobody_meets_there_is_no_figure() -> None:
    of = world(_BASE)
    found = moment(of, T)
    row = result("one", [measure(found, common_neighbours(found))])
    assert row["auc"] is row["mrr"] is row["matched_auc"] is None
