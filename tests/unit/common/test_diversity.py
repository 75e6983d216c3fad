from collections.abc import Mapping
from dataclasses import dataclass, field

from services.common.diversity import ALIKE, diversified, likeness


@dataclass(frozen=True)
class Thing:
    name: str
    facets: Mapping[str, str] = field(default_factory=dict)


def thing(name: str, place: str, **more: str) -> Thing:
    return Thing(name, {"place": place, **more})


def names(*ranked: tuple[float, Thing], most: int = 9) -> str:
    return "".join(one.name for one in diversified(ranked, most))


def test_the_best_comes_first_and_the_next_from_another_place() -> None:
    a, b, c = thing("a", "room"), thing("b", "room"), thing("c", "hall")
    assert names((1.0, a), (0.9, b), (0.8, c), (0.0, thing("d", "attic")), most=2) == "ac"


def test_what_is_much_better_is_taken_in_spite_of_its_place() -> None:
    a, b, c = thing("a", "room"), thing("b", "room"), thing("c", "hall")
    assert names((1.0, a), (0.95, b), (0.1, c), (0.0, thing("d", "attic")), most=2) == "ab"


def test_another_language_and_another_unit_count_too() -> None:
    one, same = thing("a", "x", language="en", unit="u"), thing("b", "y", language="en", unit="u")
    other = thing("c", "z", language="de", unit="v")
    assert names((1.0, one), (0.90, same), (0.85, other), (0.0, thing("d", "w")), most=2) == "ac"


def test_what_is_unknown_is_like_nothing() -> None:
    assert likeness(thing("a", ""), thing("b", "")) == 0.0
    assert likeness(Thing("a"), Thing("b")) == 0.0
    whole = dict.fromkeys(ALIKE, "same")
    assert likeness(Thing("a", whole), Thing("b", whole)) == 1.0


def test_nothing_is_lost_or_doubled_and_scores_may_be_negative() -> None:
    ranked = [(-float(n), thing(str(n), f"place{n % 3}")) for n in range(9)]
    assert sorted(one.name for one in diversified(ranked, 9)) == [str(n) for n in range(9)]
    assert diversified(ranked, 0) == []
    assert diversified([], 5) == []
    assert [one.name for one in diversified([(1.0, thing("a", "x")), (1.0, thing("b", "y"))], 2)] == ["a", "b"]
