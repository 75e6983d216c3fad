"""Less at once when the index is too busy, more again step by step; pauses differ from one member to the next."""

import pytest

from services.indexer.pressure import LONGEST_PAUSE, Pressure, pause


def test_halved_on_pressure_and_grown_by_steps() -> None:
    pressure = Pressure(least=50, most=1_000, step=100)
    pressure.too_much()
    pressure.too_much()
    assert pressure.window == 250
    for _ in range(8):
        pressure.went_well()
    assert pressure.window == 1_000


def test_never_less_than_the_least() -> None:
    pressure = Pressure(least=50, most=1_000)
    for _ in range(20):
        pressure.too_much()
    assert pressure.window == 50


@pytest.mark.parametrize(("attempt", "most"), [(1, 0.5), (2, 1.0), (5, 8.0), (9, LONGEST_PAUSE), (900, LONGEST_PAUSE)])
def test_a_pause_is_any_part_of_a_growing_bound(attempt: int, most: float) -> None:
    assert pause(attempt, lambda: 0.0) == 0.0
    assert pause(attempt, lambda: 0.5) == most / 2
