from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.common.codec import Codec
from services.enrich.scoring.profile import Profile
from tests.unit.enrich.made import NOON


def contribution(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "person": "ann",
        "activity": f"a{number}",
        "object": f"o{number}",
        "container": f"c{number % 3}",
        "terms": {"parser": 1.0, f"word{number % 5}": 0.5},
        "people": ["bob"] if number % 2 else [],
        "published": NOON + timedelta(days=number),
    } | changes


@given(st.lists(st.integers(0, 40), min_size=1), st.integers(0, 1000))
def test_order_and_repetition_change_nothing(numbers: list[int], seed: int) -> None:
    once, again = Profile("ann"), Profile("ann")
    for number in sorted(set(numbers)):
        once.add(contribution(number))
    mixed = numbers * 2
    Random(seed).shuffle(mixed)
    for number in mixed:
        again.add(contribution(number))
    assert once.record() == again.record()


def test_what_is_older_than_a_year_counts_no_more() -> None:
    profile = Profile("ann")
    profile.add(contribution(0))
    profile.add(contribution(400))
    record = profile.record()
    assert (record["actions"], record["containers"]) == (1, {"c1": 1.0})


def test_terms_decay_and_containers_count() -> None:
    profile = Profile("ann")
    for number in (0, 90):
        profile.add(contribution(number, container="c", terms={f"t{number}": 1.0}))
    record = profile.record()
    assert record["containers"] == {"c": 2.0}
    assert 0.4 < record["terms"]["t0"] < 0.6 < record["terms"]["t90"] == 1.0


def test_a_withdrawn_contribution_takes_its_terms_with_it() -> None:
    profile = Profile("ann")
    profile.add(contribution(1))
    profile.add(contribution(1, terms={}))
    assert profile.record()["terms"] == {}
    assert profile.record()["actions"] == 1


def test_it_is_bounded_and_fits_the_schema() -> None:
    profile, codec = Profile("ann"), Codec("profile")
    for number in range(3_000):
        profile.add(contribution(number % 300, activity=f"x{number}", terms={f"t{number}.{n}": 1.0 for n in range(5)}))
    assert len(profile.contributions) <= 1_000
    record = codec.decode(codec.encode(profile.record()))
    assert len(record["terms"]) == 200


def test_what_is_over_the_bound_is_named_so_that_the_log_forgets_it_too() -> None:
    profile = Profile("ann")
    for number in range(1_001):
        profile.add(contribution(number))
    assert profile.surplus == {f"a{number}" for number in range(501)}
    profile.add(contribution(0))
    assert "a0" not in profile.surplus
    assert not profile.surplus & profile.contributions.keys()
