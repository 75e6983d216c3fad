"""Who is likely to meet, in worlds where the right answer is known."""

import json
import random

import numpy as np
import pytest

from services.common.errors import Stop
from services.common.model import Enriched
from services.enrich.meeting.attendance import Attendance
from services.enrich.meeting.links import INPUTS, Links
from services.enrich.meeting.weights import read, shipped, untrained
from tests.unit.enrich.meeting.made import at, said


def world() -> list[Enriched]:
    """Ann and Cid both meet Bob in the kitchen; Dan meets Eve in the garage, as often and as lately."""
    return [
        *(said(n, who, f"soup {n // 2}", days=n, channel="kitchen") for n, who in enumerate(["ann", "bob"] * 3)),
        *(said(20 + n, who, f"stew {n // 2}", days=n, channel="kitchen") for n, who in enumerate(["cid", "bob"] * 3)),
        *(said(40 + n, who, f"oil {n // 2}", days=n, channel="garage") for n, who in enumerate(["dan", "eve"] * 3)),
    ]


def observed(activities: list[Enriched]) -> Links:
    links = Links()
    for one in activities:
        links.observe(one)
    return links


def test_common_acquaintances_and_places_come_first() -> None:
    near, far = observed(world()).score([("ann", "cid"), ("ann", "dan")], at(10))
    assert near > far


def test_order_within_a_pair_changes_nothing() -> None:
    links = observed(world())
    assert np.array_equal(links.score([("ann", "cid")], at(10)), links.score([("cid", "ann")], at(10)))


def test_repetitions_and_another_order_change_nothing() -> None:
    pairs = [("ann", "cid"), ("ann", "dan"), ("bob", "eve")]
    shuffled = world() * 2
    random.Random(1).shuffle(shuffled)
    assert np.allclose(observed(shuffled).score(pairs, at(10)), observed(world()).score(pairs, at(10)))


def test_what_comes_after_the_moment_is_not_known() -> None:
    later = [said(90, "ann", "oil 9", days=20, channel="garage"), said(91, "dan", "oil 9", days=20, channel="garage")]
    pair = [("ann", "dan")]
    assert observed(world() + later).score(pair, at(10)) == observed(world()).score(pair, at(10))
    assert observed(world() + later).score(pair, at(21)) > observed(world()).score(pair, at(21))


def test_who_has_been_away_is_less_likely() -> None:
    links = observed(world())
    assert links.score([("ann", "cid")], at(10)) > links.score([("ann", "cid")], at(200))


def test_unknown_people_are_at_the_bottom() -> None:
    links = observed(world())
    unknown, strangers = links.score([("zoe", "ann"), ("ann", "dan")], at(10))
    assert unknown < strangers
    assert links.score([], at(10)).shape == (0,)


def test_sharing_a_small_object_links_and_a_crowd_does_not() -> None:
    links = observed(world())
    assert links.linked("ann", "bob", at(10))
    assert not links.linked("ann", "cid", at(10))
    for n in range(31):
        links.observe(said(100 + n, f"guest{n}", "party", days=11))
    assert not links.linked("guest1", "guest2", at(12))


def test_a_link_ends_a_year_after() -> None:
    assert not observed(world()).linked("ann", "bob", at(380))


def test_whoever_is_forgotten_links_nobody() -> None:
    links = observed(world())
    links.attendance.forget("bob")
    assert links.neighbours("ann", at(10)) == {}
    assert links.score([("ann", "cid")], at(10)) < observed(world()).score([("ann", "cid")], at(10))


def test_terms_add_up_to_the_score() -> None:
    links = observed(world())
    terms = links.terms("ann", "cid", at(10))
    assert set(terms) == set(INPUTS)
    assert sum(terms.values()) + links.weights.bias == pytest.approx(float(links.score([("ann", "cid")], at(10))[0]))


def test_shipped_and_untrained_weights_are_of_the_model_s_inputs() -> None:
    assert shipped().names == untrained().names == INPUTS


def test_weights_of_other_inputs_are_refused() -> None:
    with pytest.raises(Stop, match="other inputs"):
        read(json.dumps({"model": "old", "bias": 0, "inputs": {"height": {"mean": 0, "coefficient": 1}}}), INPUTS)


def test_attendance_keeps_the_newer_half_beyond_its_limit() -> None:
    attendance = Attendance(limit=10)
    for n in range(11):
        attendance.observe(said(n, f"p{n}", f"thread {n}", days=n))
    window = attendance.window(at(20))
    assert [attendance.people.names[p] for p in window.people] == [f"p{n}" for n in range(5, 11)]
