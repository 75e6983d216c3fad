"""Texts by likeness: an inverted index with TF-IDF weights and cosines, for texts that grow. Pure, bounded.

A text has a slot; the oldest slot makes room for the newest. A term remembers its newest postings only: what is in very
many texts says little about any. Inverse document frequencies are those of the moment of asking. What a question costs
goes with its postings, not with the number of texts.
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.words import Text

_MOST_ASKED = 64
"""Terms of a question, the rarest first: the others cost time and change little."""
_TITLE = 2.0
"""What a term of the title is worth beside one of the body."""
_GROWN = 1.3

Found = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Slots and cosines, the most alike first."""
_NOTHING: Found = (np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(slots=True)
class _Postings:
    slots: "array[int]" = field(default_factory=lambda: array("q"))
    weights: "array[float]" = field(default_factory=lambda: array("d"))
    texts: int = 0

    def add(self, slot: int, weight: float, most: int) -> None:
        self.slots.append(slot)
        self.weights.append(weight)
        if len(self.slots) > 2 * most:
            del self.slots[:-most]
            del self.weights[:-most]


@dataclass(slots=True)
class _Text:
    counts: dict[str, int] = field(default_factory=dict)
    titles: dict[str, None] = field(default_factory=dict)

    def terms(self) -> dict[str, None]:
        return {**self.titles, **dict.fromkeys(self.counts)}

    def weight(self, term: str) -> float:
        return _level(self.counts.get(term, 0)) + (_TITLE if term in self.titles else 0.0)


def _level(count: int) -> float:
    """Return 1 + ln(count) in steps, one for each doubling, so that a posting is added seldom."""
    return 1.0 + math.log(2) * (count.bit_length() - 1) if count else 0.0


class Index:
    """Texts by slot. ``limit`` texts of ``terms`` different terms at most, and ``postings`` of a term."""

    def __init__(self, limit: int, terms: int = 240, postings: int = 4_000) -> None:
        self._limit, self._terms, self._most = limit, terms, postings
        self._next = 0
        self._filled = 0
        self._normed_at = 0
        self._postings: dict[str, _Postings] = {}
        self._texts: dict[int, _Text] = {}
        self._squares = np.zeros(1_024)
        self._sums = np.zeros(1_024)

    def __len__(self) -> int:
        return len(self._texts)

    def new(self) -> tuple[int, int]:
        """Return the slot for a new text, and the slot that made room for it or -1."""
        slot, gone = self._next, self._next - self._limit
        self._next += 1
        if self._limit > len(self._squares) < self._next:
            more = min(self._limit, 2 * len(self._squares))
            self._squares = np.concatenate([self._squares, np.zeros(more - len(self._squares))])
            self._sums = np.zeros(more)
        if gone >= 0:
            self.remove(gone)
        self._texts[slot] = _Text()
        self._squares[slot % self._limit] = 0.0
        return slot, gone if gone >= 0 else -1

    def extend(self, slot: int, text: Text) -> None:
        """Let a text go on; terms beyond the limit are left out."""
        held = self._texts.get(slot)
        if held is None:
            return
        if self._filled > _GROWN * self._normed_at + 64:
            self._norm_all()
        room = self._terms - len(held.counts) - len(held.titles)
        for term in text.title:
            if term not in held.titles and (term in held.counts or room > 0):
                room -= term not in held.counts
                before = held.weight(term)
                held.titles[term] = None
                self._raise(slot, term, before, before + _TITLE)
        for term, count in text.body.items():
            had = held.counts.get(term, 0)
            if had or term in held.titles or room > 0:
                held.counts[term] = had + count
                room -= not had
                if (had + count).bit_length() > had.bit_length():
                    title = _TITLE if term in held.titles else 0.0
                    self._raise(slot, term, _level(had) + title, _level(had + count) + title)

    def _raise(self, slot: int, term: str, before: float, now: float) -> None:
        postings = self._postings.get(term)
        if postings is None:
            postings = self._postings[term] = _Postings()
        if not before:
            postings.texts += 1
        postings.add(slot, now - before, self._most)
        place = slot % self._limit
        if not self._squares[place]:
            self._filled += 1
        self._squares[place] += (now**2 - before**2) * self.rarity(term) ** 2

    def _norm_all(self) -> None:
        # Rarities grow with the number of texts, so lengths taken long ago would be too short.
        self._normed_at = self._filled = len(self._texts)
        for slot, text in self._texts.items():
            self._squares[slot % self._limit] = sum((text.weight(t) * self.rarity(t)) ** 2 for t in text.terms())

    def remove(self, slot: int) -> None:
        """Let a text be found no more."""
        self.clear(slot)
        self._texts.pop(slot, None)

    def clear(self, slot: int) -> None:
        """Forget what a text said so far."""
        held = self._texts.get(slot)
        if held is None:
            return
        # Old postings stay where they are; the negative ones make them come to nothing.
        for term in held.terms():
            self._postings[term].add(slot, -held.weight(term), self._most)
        self._texts[slot] = _Text()
        for term in held.terms():
            postings = self._postings[term]
            postings.texts -= 1
            if postings.texts <= 0:
                del self._postings[term]
        self._squares[slot % self._limit] = 0.0

    def size(self, slot: int) -> int:
        """Return how many different terms a text has, at least."""
        held = self._texts.get(slot)
        return len(held.counts) + len(held.titles) if held else 0

    def terms(self, slot: int) -> Mapping[str, float]:
        """Return a text's terms with their weights."""
        held = self._texts.get(slot)
        return {term: held.weight(term) for term in held.terms()} if held else {}

    def counts(self, slot: int) -> Mapping[str, int]:
        """Return how often each term of a text's body occurred."""
        held = self._texts.get(slot)
        return held.counts if held else {}

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency, smoothed."""
        postings = self._postings.get(term)
        return math.log((1 + len(self._texts)) / (1 + (postings.texts if postings else 0))) + 0.1

    def asked(self, text: Text) -> dict[str, float]:
        """Return the terms of a question with their weights: level times rarity, over their length."""
        weights = {
            term: (_level(text.body.get(term, 0)) + (_TITLE if term in text.title else 0.0)) * self.rarity(term)
            for term in text.terms()
        }
        norm = math.sqrt(sum(weight**2 for weight in weights.values()))
        return {term: weight / norm for term, weight in weights.items()} if norm else {}

    def like(self, text: Text, most: int, least: float = 0.03) -> Found:
        """Return the slots of the texts most like this one."""
        asked = self.asked(text)
        known = [term for term in asked if term in self._postings]
        rarest = sorted(known, key=lambda term: (-asked[term], term))[:_MOST_ASKED]
        if not rarest:
            return _NOTHING
        found = [self._postings[term] for term in rarest]
        slots = np.concatenate([np.frombuffer(one.slots, dtype=np.int64) for one in found])
        sizes = [len(one.slots) for one in found]
        factors = np.repeat([asked[term] * self.rarity(term) for term in rarest], sizes)
        weights = np.concatenate([np.frombuffer(one.weights) for one in found]) * factors
        return self._best(slots, weights, most, least)

    def _best(self, slots: NDArray[np.int64], weights: NDArray[np.float64], most: int, least: float) -> Found:
        kept = slots >= self._next - self._limit
        slots, places = slots[kept], slots[kept] % self._limit
        sums = self._sums
        np.add.at(sums, places, weights[kept])
        products, squares = sums[places], self._squares[places]
        sums[places] = np.arange(len(places))
        single = sums[places] == np.arange(len(places))
        sums[places] = 0.0
        alive = single & (squares > 0)
        slots, cosines = slots[alive], np.minimum(products[alive] / np.sqrt(squares[alive]), 1.0)
        near = np.flatnonzero(cosines >= least)
        if len(near) > most:
            near = near[np.argpartition(-cosines[near], most)[:most]]
        best = near[np.lexsort((slots[near], -cosines[near]))]
        return slots[best], cosines[best]
