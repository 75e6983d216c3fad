import pytest

from services.enrich.scoring.similar import Similar


def filled(limit: int = 100) -> Similar:
    similar = Similar(limit)
    for number in range(20):
        similar.add(f"lunch{number}", {"soup": 1.0, "salad": 1.0, f"day{number}": 1.0}, time=number)
    similar.add("parser1", {"parser": 2.0, "token": 1.0, "buffer": 1.0}, time=100)
    similar.add("parser2", {"parser": 1.0, "token": 1.0, "grammar": 1.0}, time=101)
    return similar


def test_the_most_similar_come_first_and_only_what_was_there_before() -> None:
    similar, asked = filled(), {"parser": 1.0, "token": 1.0, "buffer": 1.0}
    assert [key for key, _ in similar.like(asked, time=200)] == ["parser1", "parser2"]
    assert [key for key, _ in similar.like(asked, time=101)] == ["parser1"]
    assert similar.like(asked, time=100) == []


def test_the_same_terms_have_likeness_one() -> None:
    [(key, cosine), *_] = filled().like({"parser": 2.0, "token": 1.0, "buffer": 1.0}, time=200)
    assert key == "parser1"
    assert cosine == pytest.approx(1.0, abs=0.15)


def test_likeness_stays_below_one_while_the_collection_grows() -> None:
    similar = Similar(2_000)
    similar.add("first", {"parser": 1.0, "token": 1.0}, time=1)
    for number in range(1_500):
        similar.add(f"other{number}", {f"word{number}": 1.0, f"more{number % 7}": 1.0}, time=2)
    [(key, cosine), *_] = similar.like({"parser": 1.0, "token": 1.0}, time=9)
    assert key == "first"
    assert 0.85 <= cosine <= 1.0


def test_what_is_removed_is_not_found() -> None:
    similar = Similar(10)
    slot, _ = similar.add("gone", {"parser": 1.0}, time=1)
    similar.add("kept", {"parser": 1.0}, time=1)
    similar.remove(slot)
    similar.remove(slot)
    assert [key for key, _ in similar.like({"parser": 1.0}, time=9)] == ["kept"]


def test_the_oldest_make_room() -> None:
    similar = Similar(3)
    gone = [similar.add(f"o{number}", {"word": 1.0, f"own{number}": 1.0}, time=number)[1] for number in range(5)]
    assert gone == ["", "", "", "o0", "o1"]
    assert similar.like({"own0": 1.0}, time=9) == []
    assert len(similar) == 3


def test_postings_of_a_common_word_are_bounded() -> None:
    similar = Similar(10_000)
    for number in range(6_000):
        similar.add(f"o{number}", {"common": 1.0}, time=1)
    assert len(similar._postings["common"].slots) <= 2_000


def test_nothing_known_nothing_found() -> None:
    assert Similar(5).like({"parser": 1.0}, time=1) == []
    assert filled().like({}, time=200) == []
    assert filled().like({"unheard": 1.0}, time=200) == []
