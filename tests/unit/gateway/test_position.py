"""Ids of the stream: what goes in comes out, and nothing made up is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.stream.position import NotAPosition, Position, mark_of, packed, unpacked

MARK = mark_of("t.enriched.v1", "one")


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=40))
def test_what_is_packed_is_unpacked(offsets: list[int]) -> None:
    assert unpacked(packed(MARK, offsets)) == Position(MARK, tuple(offsets))


@given(st.text(max_size=60))
def test_what_is_made_up_is_refused(text: str) -> None:
    with pytest.raises(NotAPosition):
        unpacked(text)


@given(st.integers(0, 200))
def test_a_damaged_one_is_refused(place: int) -> None:
    good = packed(MARK, (1, 20_000, 3_000_000))
    at = place % len(good)
    damaged = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
    try:
        assert unpacked(damaged) == unpacked(good)  # the last letter carries spare bits
    except NotAPosition:
        return


def test_another_incarnation_has_another_mark() -> None:
    assert mark_of("t.enriched.v1", "one") != mark_of("t.enriched.v1", "two")


def test_a_position_of_twelve_partitions_is_short() -> None:
    assert len(packed(MARK, [1_000_000] * 12)) <= 60
