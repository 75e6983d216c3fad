"""The index of texts beside a plain computation."""

import math
import random

import pytest

from services.enrich.scoring.relevance.index import Index
from services.enrich.scoring.relevance.words import Text, words

WORDS = [f"word{n}" for n in range(60)]


def _text(chance: random.Random, title: int = 2) -> Text:
    picked = [chance.choice(WORDS) for _ in range(12)]
    return Text({word: picked.count(word) for word in picked}, tuple(chance.sample(WORDS, title)))


def _cosine(index: Index, asked: Text, slot: int) -> float:
    levels = {term: 1 + math.log(2) * (asked.body[term].bit_length() - 1) for term in asked.body}
    plain = {term: (levels.get(term, 0.0) + 2.0 * (term in asked.title)) * index.rarity(term) for term in asked.terms}
    length = math.sqrt(sum(weight**2 for weight in plain.values()))
    question = {term: weight / length for term, weight in plain.items()}
    held = {term: weight * index.rarity(term) for term, weight in index.terms(slot).items()}
    norm = math.sqrt(sum(weight**2 for weight in held.values()))
    return sum(question.get(term, 0.0) * weight for term, weight in held.items()) / norm if norm else 0.0


def test_cosines_are_those_of_a_plain_computation() -> None:
    chance, index = random.Random(7), Index(500)
    for _ in range(200):
        index.extend(index.new()[0], _text(chance))
    index._norm_all()
    asked = _text(chance)
    slots, cosines = index.like(index.asked(asked), 10)
    best = sorted((_cosine(index, asked, slot) for slot in range(200)), reverse=True)[:10]
    assert cosines == pytest.approx(best)
    assert [_cosine(index, asked, slot) for slot in slots] == pytest.approx(best)


def test_a_text_grows() -> None:
    index = Index(10)
    slot, _ = index.new()
    index.extend(slot, Text({"rook": 1}, ()))
    index.extend(slot, Text({"rook": 3, "pawn": 1}, ("gambit",)))
    assert index.counts(slot) == {"rook": 4, "pawn": 1}
    assert index.terms(slot) == pytest.approx({"rook": 1 + 2 * math.log(2), "pawn": 1.0, "gambit": 2.0})


def test_the_oldest_text_makes_room() -> None:
    index = Index(3)
    for number in range(5):
        slot, gone = index.new()
        index.extend(slot, Text({f"only{number}": 1, "shared": 1}, ()))
        assert gone == (number - 3 if number >= 3 else -1)
    assert len(index) == 3
    assert list(index.like(index.asked(Text({"only0": 1}, ())), 5)[0]) == []
    assert sorted(index.like(index.asked(Text({"shared": 1}, ())), 5)[0]) == [2, 3, 4]


def test_a_cleared_text_is_not_found_and_goes_on_anew() -> None:
    index = Index(10)
    slot, _ = index.new()
    index.extend(slot, Text({"rook": 2}, ("rook",)))
    index.clear(slot)
    assert list(index.like(index.asked(Text({"rook": 1}, ())), 5)[0]) == []
    index.extend(slot, Text({"pawn": 1}, ()))
    assert list(index.like(index.asked(Text({"pawn": 1}, ())), 5)[0]) == [slot]


def test_identifiers_are_words_and_their_parts() -> None:
    assert words("readTimeout of http_client, fails") == [
        "readtimeout",
        "read",
        "timeout",
        "http_client",
        "client",
        "fail",
    ]
