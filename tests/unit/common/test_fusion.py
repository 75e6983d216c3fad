"""Fusion: what several rankings agree on comes first; conversations are one hit."""

from services.common.search.fusion import Candidate, Weights, conversations, fused, hybrid


def candidates(names: str, **more: dict[str, str]) -> list[Candidate]:
    return [
        Candidate(one, published=more.get("at", {}).get(one, "2026"), context=tuple(more.get("place", {}).get(one, "")))
        for one in names
    ]


def names(found: list[Candidate]) -> str:
    return "".join(one.id for one in found)


def test_a_ranking_with_more_weight_wins() -> None:
    assert [one for one, _ in fused([["a", "b"], ["b", "a"]], [1.0, 2.0])] == ["b", "a"]


def test_one_ranking_alone_stays_as_it_is() -> None:
    old_first = candidates("ab", at={"a": "2020", "b": "2026"})
    assert names(hybrid(old_first, [], "x")) == names(hybrid([], old_first, "x")) == "ab"


def test_among_equals_the_newer_and_what_lies_in_ones_own_places_comes_first() -> None:
    dated, placed = {"at": {"a": "2020", "b": "2026"}}, {"place": {"b": "x", "a": "y"}}
    alike = Weights(meaning=1.0, recency=0.2, places=0.2)
    assert names(hybrid(candidates("ab", **dated), candidates("ba", **dated), (), alike)) == "ba"
    assert names(hybrid(candidates("ab", **placed), candidates("ba", **placed), ("x",), alike)) == "ba"
    assert names(hybrid(candidates("ab", **placed), candidates("ba", **placed), ("y",), alike)) == "ab"


def test_newness_does_not_outweigh_what_both_rankings_put_first() -> None:
    dated = {"at": {"a": "2020", "z": "2026"}}
    assert names(hybrid(candidates("abcdez", **dated), candidates("abcdez", **dated)))[0] == "a"


def test_a_conversation_is_one_hit_at_its_best_place() -> None:
    found = [Candidate("a", "t1"), Candidate("b", "t2"), Candidate("c", "t1"), Candidate("d")]
    assert names(conversations(found)) == "abd"
