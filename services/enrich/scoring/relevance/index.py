"""Texts by likeness: an inverted index with TF-IDF weights and cosines, for texts that grow. Pure, bounded.

A text has a slot; the oldest slot makes room for the newest. A term remembers its newest postings only: what is in very
many texts says little about any. Inverse document frequencies are those of the moment of asking. What a question costs
goes with its postings, not with the number of texts.

Terms have numbers inside; a number is given again once its term is in no text. Texts are short, so they grow term by
term; postings are many, so questions are answered in arrays.
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.words import Text

Ints = NDArray[np.int64]
Values = NDArray[np.float64]
Found = tuple[Ints, Values]
"""Slots and cosines."""

_MOST_ASKED = 64
"""Terms of a question, the rarest first: the others cost time and change little."""
_TITLE = 2.0
"""What a term of the title is worth beside one of the body."""
_GROWN = 1.3
_ROUND = 12
"""Digits by which weights of a question differ, or its terms go by name."""
_NOTHING: Found = (np.zeros(0, dtype=np.int64), np.zeros(0))
_LN2 = math.log(2)


def _worth(use: int) -> float:
    """Return what a term's use (twice how often it is in the body, and 1 where it is in the title) is worth.

    1 + ln(count) in steps, one for each doubling, so that a posting is added seldom; and what a title is worth.
    """
    count = use >> 1
    return (1.0 + _LN2 * (count.bit_length() - 1) if count else 0.0) + (_TITLE if use & 1 else 0.0)


_WORTH = tuple(map(_worth, range(8_192)))


def _worths(uses: Ints) -> Values:
    counts = uses >> 1
    doublings = np.frexp(counts)[1] - 1
    worths: Values = (1.0 + _LN2 * doublings) * (counts > 0) + _TITLE * (uses & 1)
    return worths


@dataclass(frozen=True, slots=True)
class Question:
    """The known terms of a question, by number; good until a text is added, grows or goes.

    ``weights``: worth times rarity, over the length of the question; ``factors``: that times rarity once more, since a
    text's weights, which are not kept, are worth times rarity too.
    """

    weights: Mapping[int, float]
    factors: Mapping[int, float]


@dataclass(slots=True)
class _Postings:
    """Slots of texts with what a term added to each; several for a text that grew. ``texts``: how many have it."""

    name: str
    slots: "array[int]" = field(default_factory=lambda: array("q"))
    weights: "array[float]" = field(default_factory=lambda: array("d"))
    texts: int = 0

    def trim(self, most: int) -> None:
        del self.slots[:-most]
        del self.weights[:-most]


@dataclass(slots=True)
class _Text:
    """Uses of terms, by number (see ``_worth``). ``size`` counts a term of title and body twice."""

    uses: dict[int, int] = field(default_factory=dict)
    size: int = 0


class Index:
    """Texts by slot. ``limit`` texts of ``terms`` different terms at most, and ``postings`` of a term."""

    def __init__(self, limit: int, terms: int = 240, postings: int = 4_000) -> None:
        self._limit, self._terms, self._most = limit, terms, postings
        self._next = 0
        self._filled = 0
        self._normed_at = 0
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []
        self._postings: list[_Postings] = []
        self._texts: dict[int, _Text] = {}
        self._squares = np.zeros(1_024)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, slot: int) -> bool:
        return slot in self._texts

    def new(self) -> tuple[int, int]:
        """Return the slot for a new text, and the slot that made room for it or -1."""
        slot, gone = self._next, self._next - self._limit
        self._next += 1
        if self._limit > len(self._squares) < self._next:
            more = min(self._limit, 2 * len(self._squares))
            self._squares = np.concatenate([self._squares, np.zeros(more - len(self._squares))])
        if gone >= 0:
            self.remove(gone)
        self._texts[slot] = _Text()
        self._squares[slot % self._limit] = 0.0
        return slot, gone if gone >= 0 else -1

    # --- texts grow

    def extend(self, slot: int, text: Text) -> None:
        """Let a text go on; terms beyond the limit are left out."""
        held = self._texts.get(slot)
        if held is None or not text.terms:
            return
        if self._filled > _GROWN * self._normed_at + 64:
            self._norm_all()
        place = slot % self._limit
        before = float(self._squares[place])
        more, room = self._entitle(held, slot, text)
        more += self._lengthen(held, slot, text, room)
        self._filled += not before and more > 0
        self._squares[place] = before + more

    def _entitle(self, held: _Text, slot: int, text: Text) -> tuple[float, int]:
        """Add the terms of a title; return by how much the square of the text's length grows, and how many more fit."""
        squares, room = 0.0, self._terms - held.size
        for term in text.title:
            number = self._numbers.get(term, -1)
            use = held.uses.get(number, 0)
            if not use & 1 and (use or room > 0):
                number = number if number >= 0 else self._number(term)
                held.uses[number] = use + 1
                held.size += 1
                room -= not use
                squares += self._post(number, slot, use, use + 1)
        return squares, room

    def _lengthen(self, held: _Text, slot: int, text: Text, room: int) -> float:
        """Add the terms of a body; return by how much the square of the text's length grows."""
        squares, uses, numbers = 0.0, held.uses, self._numbers
        for term, count in text.body.items():
            number = numbers.get(term, -1)
            use = uses.get(number, 0)
            if use or room > 0:
                number = number if number >= 0 else self._number(term)
                uses[number] = now = use + 2 * count
                room -= use < 2
                held.size += use < 2
                if (now >> 1).bit_length() > (use >> 1).bit_length():
                    squares += self._post(number, slot, use, now)
        return squares

    def _post(self, number: int, slot: int, use: int, now: int) -> float:
        """Let a term count for what it is worth now; return by how much the square of the text's length grows."""
        postings = self._postings[number]
        before, after = (_WORTH[use], _WORTH[now]) if now < 8_192 else (_worth(use), _worth(now))
        postings.texts += not use
        postings.slots.append(slot)
        postings.weights.append(after - before)
        if len(postings.slots) > 2 * self._most:
            postings.trim(self._most)
        return (after * after - before * before) * self._rare(postings.texts) ** 2

    def _norm_all(self) -> None:
        # Rarities grow with the number of texts, so lengths taken long ago would be too short.
        self._normed_at = self._filled = len(self._texts)
        filled = {slot: text.uses for slot, text in self._texts.items() if text.uses}
        if not filled:
            return
        numbers = np.fromiter(chain.from_iterable(filled.values()), np.int64)
        uses = np.fromiter(chain.from_iterable(one.values() for one in filled.values()), np.int64)
        starts = np.cumsum([0, *map(len, filled.values())])[:-1]
        texts = np.array([one.texts for one in self._postings])
        rarities = np.log((1 + len(self._texts)) / (1 + texts)) + 0.1
        squares = (_worths(uses) * rarities[numbers]) ** 2
        self._squares[np.fromiter(filled, np.int64) % self._limit] = np.add.reduceat(squares, starts)

    def remove(self, slot: int) -> None:
        """Let a text be found no more."""
        self.clear(slot)
        self._texts.pop(slot, None)

    def clear(self, slot: int) -> None:
        """Forget what a text said so far."""
        held = self._texts.get(slot)
        if held is None:
            return
        for number, use in held.uses.items():
            postings = self._postings[number]
            postings.texts -= 1
            if postings.texts > 0:
                # Old postings stay where they are; the negative one makes them come to nothing.
                postings.slots.append(slot)
                postings.weights.append(-_worth(use))
                if len(postings.slots) > 2 * self._most:
                    postings.trim(self._most)
            else:
                del self._numbers[postings.name]
                self._postings[number] = _Postings("")
                self._free.append(number)
        self._texts[slot] = _Text()
        self._squares[slot % self._limit] = 0.0

    # --- terms

    def _number(self, term: str) -> int:
        """Return the number of a term that is in no text yet."""
        if self._free:
            number = self._free.pop()
            self._postings[number] = _Postings(term)
        else:
            number = len(self._postings)
            self._postings.append(_Postings(term))
        self._numbers[term] = number
        return number

    def _rare(self, texts: int) -> float:
        """Return the inverse document frequency, smoothed, of a term that is in so many."""
        return math.log((1 + len(self._texts)) / (1 + texts)) + 0.1

    def size(self, slot: int) -> int:
        """Return how many different terms a text has, at least."""
        held = self._texts.get(slot)
        return held.size if held else 0

    def terms(self, slot: int) -> Mapping[str, float]:
        """Return a text's terms with their weights."""
        held = self._texts.get(slot)
        return {self._postings[n].name: _worth(use) for n, use in held.uses.items()} if held else {}

    def counts(self, slot: int) -> Mapping[str, int]:
        """Return how often each term of a text's body occurred."""
        held = self._texts.get(slot)
        return {self._postings[n].name: use >> 1 for n, use in held.uses.items() if use > 1} if held else {}

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency, smoothed."""
        number = self._numbers.get(term, -1)
        return self._rare(self._postings[number].texts if number >= 0 else 0)

    # --- questions

    def asked(self, text: Text) -> Question:
        """Return the question that a text is."""
        titles, body, known = set(text.title), text.body.get, self._numbers.get
        weights, rarities = dict[int, float](), dict[int, float]()
        squares, strange = 0.0, self._rare(0)
        for term in text.terms:
            number, use = known(term, -1), 2 * body(term, 0) + (term in titles)
            rare = self._rare(self._postings[number].texts) if number >= 0 else strange
            weight = (_WORTH[use] if use < len(_WORTH) else _worth(use)) * rare
            squares += weight * weight
            if number >= 0:
                weights[number], rarities[number] = weight, rare
        norm = math.sqrt(squares)
        weights = {number: weight / norm for number, weight in weights.items()}
        return Question(weights, {number: weight * rarities[number] for number, weight in weights.items()})

    def named(self, asked: Question) -> dict[str, float]:
        """Return a question's weights by term."""
        return {self._postings[number].name: weight for number, weight in asked.weights.items()}

    def shared(self, factors: Mapping[int, float], slot: int) -> dict[str, float]:
        """Return the terms that a question shares with a text, each with its factor times what it is worth there."""
        held = self._texts.get(slot)
        uses = held.uses if held else {}
        there = [(number, uses[number]) for number in factors if number in uses]
        return {self._postings[number].name: factors[number] * _worth(use) for number, use in there}

    def like(self, asked: Question, most: int, least: float = 0.03) -> Found:
        """Return the slots of the texts most like a question, the most alike first."""
        slots, cosines = self.all_like(asked)
        near = np.flatnonzero(cosines >= least)
        if len(near) > most:
            near = near[np.argpartition(-cosines[near], most)[:most]]
        best = near[np.lexsort((slots[near], -cosines[near]))]
        return slots[best], cosines[best]

    def all_like(self, asked: Question) -> Found:
        """Return the slots of all texts that share a term with a question, in the order of their places."""
        numbers = list(asked.weights)
        if len(numbers) > _MOST_ASKED:
            numbers.sort(key=lambda n: (-round(asked.weights[n], _ROUND), self._postings[n].name))
            del numbers[_MOST_ASKED:]
        if not numbers:
            return _NOTHING
        found = [self._postings[number] for number in numbers]
        slots = np.concatenate([np.frombuffer(one.slots, dtype=np.int64) for one in found])
        weights = np.repeat([asked.factors[number] for number in numbers], [len(one.slots) for one in found])
        weights *= np.concatenate([np.frombuffer(one.weights) for one in found])
        return self._cosines(slots, weights)

    def _cosines(self, slots: Ints, weights: Values) -> Found:
        if self._next > self._limit:
            kept = slots >= self._next - self._limit
            slots, weights = slots[kept] % self._limit, weights[kept]
        sums = np.bincount(slots, weights)
        places = np.flatnonzero((sums > 0) & (self._squares[: len(sums)] > 0))
        cosines = np.minimum(sums[places] / np.sqrt(self._squares[places]), 1.0)
        return places + (self._next - 1 - places) // self._limit * self._limit, cosines
