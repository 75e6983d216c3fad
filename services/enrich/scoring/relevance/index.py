"""Texts by likeness: an inverted index with TF-IDF weights and cosines, for texts that grow. Pure, bounded.

A text has a slot; the oldest slot makes room for the newest. A term remembers its newest postings only: what is in very
many texts says little about any. Inverse document frequencies are those of the moment of asking. What a question costs
goes with its postings, not with the number of texts.

Terms are numbers inside; a number is given again once its term is in no text. A text is three arrays in the order of
these numbers, which is a tenth of what a mapping by words would take.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.enrich.scoring.relevance.words import Text

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Found = tuple[Ints, Values]
"""Slots and cosines."""

_MOST_ASKED = 64
"""Terms of a question, the rarest first: the others cost time and change little."""
_TITLE = 2.0
"""What a term of the title is worth beside one of the body."""
_GROWN = 1.3
_NOTHING: Found = (np.zeros(0, dtype=np.int64), np.zeros(0))
_LN2 = math.log(2)


def _levels(counts: NDArray[np.int32]) -> Values:
    """Return 1 + ln(count) in steps, one for each doubling, so that a posting is added seldom; 0 for none."""
    doublings = np.frexp(counts)[1]  # bits of the count
    levels: Values = (1.0 + _LN2 * (doublings - 1)) * (counts > 0)
    return levels


@dataclass(slots=True)
class _Postings:
    """Slots of texts with what a term added to each; several for a text that grew."""

    slots: "array[int]" = field(default_factory=lambda: array("q"))
    weights: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, slot: int, weight: float, most: int) -> None:
        self.slots.append(slot)
        self.weights.append(weight)
        if len(self.slots) > 2 * most:
            del self.slots[:-most]
            del self.weights[:-most]


@dataclass(slots=True)
class _Text:
    """Numbers of terms in ascending order, how often each occurs in the body, and which are in the title."""

    terms: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    counts: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    titled: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def find(self, terms: Ints) -> tuple[Ints, Flags]:
        """Return where these terms are, or would be; and which of them are there."""
        places = np.searchsorted(self.terms, terms)
        if not len(self.terms):
            return places, np.zeros(len(terms), dtype=np.bool_)
        return places, self.terms[np.minimum(places, len(self.terms) - 1)] == terms

    def put(self, terms: Ints, counts: NDArray[np.int32], titled: Flags) -> None:
        """Add terms that are not there yet."""
        every = np.concatenate([self.terms, terms.astype(np.int32)])
        order = np.argsort(every, kind="stable")
        self.terms = every[order]
        self.counts = np.concatenate([self.counts, counts])[order]
        self.titled = np.concatenate([self.titled, titled])[order]

    def size(self) -> int:
        return int(np.count_nonzero(self.counts)) + int(np.count_nonzero(self.titled))

    def weights(self) -> Values:
        return _levels(self.counts) + _TITLE * self.titled


class Index:
    """Texts by slot. ``limit`` texts of ``terms`` different terms at most, and ``postings`` of a term."""

    def __init__(self, limit: int, terms: int = 240, postings: int = 4_000) -> None:
        self._limit, self._terms, self._most = limit, terms, postings
        self._next = 0
        self._filled = 0
        self._normed_at = 0
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._free: list[int] = []
        self._postings: list[_Postings] = []
        self._having = np.zeros(1_024, dtype=np.int64)
        """By term: texts that have it."""
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
        terms = self._known(text.terms)
        places, there = held.find(terms)
        had, was = np.zeros(len(terms), dtype=np.int32), np.zeros(len(terms), dtype=np.bool_)
        had[there], was[there] = held.counts[places[there]], held.titled[places[there]]
        counts, titled = text.counts, text.titled
        room = self._terms - held.size()
        if room < 2 * len(terms):
            counts, titled = _fitting(room, had, was, text)
        now, entitled = had + counts, was | titled
        new = ~there & ((counts > 0) | titled)
        terms[new] = self._numbered([text.terms[place] for place in np.flatnonzero(new).tolist()])
        held.counts[places[there]], held.titled[places[there]] = now[there], entitled[there]
        if new.any():
            held.put(terms[new], now[new], entitled[new])
        self._raise(slot, terms, (_levels(had), _levels(now)), (was, entitled))

    def _raise(self, slot: int, terms: Ints, levels: tuple[Values, Values], titled: tuple[Flags, Flags]) -> None:
        """Let terms count for what they are worth now; ``levels`` and ``titled`` before and after."""
        (before, after), (was, entitled) = levels, titled
        squares = (after + _TITLE * entitled) ** 2 - (before + _TITLE * was) ** 2
        changed = squares > 0
        self._having[terms[changed & (before == 0) & ~was]] += 1
        most, postings = self._most, self._postings
        for term in terms[entitled & ~was].tolist():
            postings[term].add(slot, _TITLE, most)
        grown = after > before
        for term, more in zip(terms[grown].tolist(), (after - before)[grown].tolist(), strict=True):
            postings[term].add(slot, more, most)
        place = slot % self._limit
        if not self._squares[place] and changed.any():
            self._filled += 1
        self._squares[place] += float(squares[changed] @ self._rarities(terms[changed]) ** 2)

    def _norm_all(self) -> None:
        # Rarities grow with the number of texts, so lengths taken long ago would be too short.
        self._normed_at = self._filled = len(self._texts)
        filled = [(slot, text) for slot, text in self._texts.items() if len(text.terms)]
        if not filled:
            return
        squares = (np.concatenate([text.weights() for _, text in filled]) ** 2) * (
            self._rarities(np.concatenate([text.terms for _, text in filled])) ** 2
        )
        starts = np.cumsum([0, *(len(text.terms) for _, text in filled[:-1])])
        self._squares[np.array([slot for slot, _ in filled]) % self._limit] = np.add.reduceat(squares, starts)

    def remove(self, slot: int) -> None:
        """Let a text be found no more."""
        self.clear(slot)
        self._texts.pop(slot, None)

    def clear(self, slot: int) -> None:
        """Forget what a text said so far."""
        held = self._texts.get(slot)
        if held is None:
            return
        self._having[held.terms] -= 1
        # Old postings stay where they are; the negative ones make them come to nothing.
        for term, weight in zip(held.terms.tolist(), held.weights().tolist(), strict=True):
            self._postings[term].add(slot, -weight, self._most)
        for term in held.terms[self._having[held.terms] <= 0].tolist():
            del self._numbers[self._names[term]]
            self._names[term], self._postings[term] = "", _Postings()
            self._free.append(term)
        self._texts[slot] = _Text()
        self._squares[slot % self._limit] = 0.0

    # --- terms

    def _known(self, terms: Sequence[str]) -> Ints:
        """Return the numbers of terms; -1 for one that is in no text."""
        get = self._numbers.get
        return np.array([get(term, -1) for term in terms], dtype=np.int64)

    def _numbered(self, terms: Sequence[str]) -> list[int]:
        """Return the numbers of terms, new ones where they are in no text yet."""
        found = []
        for term in terms:
            number = self._numbers.get(term)
            if number is None:
                if self._free:
                    number = self._free.pop()
                    self._names[number] = term
                else:
                    number = len(self._names)
                    self._names.append(term)
                    self._postings.append(_Postings())
                self._numbers[term] = number
            found.append(number)
        if len(self._names) > len(self._having):
            more = np.zeros(max(len(self._having), len(self._names)), dtype=np.int64)
            self._having = np.concatenate([self._having, more])
        return found

    def _rarities(self, terms: Ints) -> Values:
        having = np.where(terms >= 0, self._having[terms], 0)
        rarities: Values = np.log((1 + len(self._texts)) / (1 + having)) + 0.1
        return rarities

    def size(self, slot: int) -> int:
        """Return how many different terms a text has, at least."""
        held = self._texts.get(slot)
        return held.size() if held else 0

    def terms(self, slot: int) -> Mapping[str, float]:
        """Return a text's terms with their weights."""
        held = self._texts.get(slot)
        if held is None:
            return {}
        return dict(zip(map(self._names.__getitem__, held.terms.tolist()), held.weights().tolist(), strict=True))

    def counts(self, slot: int) -> Mapping[str, int]:
        """Return how often each term of a text's body occurred."""
        held = self._texts.get(slot)
        if held is None:
            return {}
        names = map(self._names.__getitem__, held.terms.tolist())
        return {name: count for name, count in zip(names, held.counts.tolist(), strict=True) if count}

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency, smoothed."""
        return float(self._rarities(self._known([term]))[0])

    # --- questions

    def asked(self, text: Text) -> dict[str, float]:
        """Return the terms of a question with their weights: level times rarity, over their length."""
        weights = self._asked(text, self._known(text.terms))
        return dict(zip(text.terms, weights.tolist(), strict=True)) if weights.any() else {}

    def _asked(self, text: Text, terms: Ints) -> Values:
        weights = (_levels(text.counts) + _TITLE * text.titled) * self._rarities(terms)
        norm = math.sqrt(float(weights @ weights))
        return weights / norm if norm else weights

    def shared(self, text: Text, slot: int, *, rare: bool = True) -> dict[str, float]:
        """Return the terms that a question shares with a text, each with its part of their likeness (not normed).

        ``rare``: whether rarity counts for both of them, or for the question alone.
        """
        held = self._texts.get(slot)
        if held is None or not text.terms:
            return {}
        terms = self._known(text.terms)
        places, there = held.find(terms)
        worth = (self._asked(text, terms) * (self._rarities(terms) if rare else 1.0))[there]
        worth *= held.weights()[places[there]]
        names = [text.terms[place] for place in np.flatnonzero(there).tolist()]
        return dict(zip(names, worth.tolist(), strict=True))

    def like(self, text: Text, most: int, least: float = 0.03) -> Found:
        """Return the slots of the texts most like this one, the most alike first."""
        slots, cosines = self.all_like(text)
        near = np.flatnonzero(cosines >= least)
        if len(near) > most:
            near = near[np.argpartition(-cosines[near], most)[:most]]
        best = near[np.lexsort((slots[near], -cosines[near]))]
        return slots[best], cosines[best]

    def all_like(self, text: Text) -> Found:
        """Return the slots of all texts that share a term with this one, in the order of their places."""
        every = self._known(text.terms)
        weights = self._asked(text, every) * self._rarities(every)
        chosen = self._rarest(text, every, weights)
        if not len(chosen):
            return _NOTHING
        found = [self._postings[term] for term in every[chosen].tolist()]
        slots = np.concatenate([np.frombuffer(one.slots, dtype=np.int64) for one in found])
        factors = np.repeat(weights[chosen], [len(one.slots) for one in found])
        factors *= np.concatenate([np.frombuffer(one.weights) for one in found])
        return self._cosines(slots, factors)

    def _rarest(self, text: Text, terms: Ints, weights: Values) -> Ints:
        """Return the places of those terms of a question that are asked for."""
        known = np.flatnonzero(terms >= 0)
        if len(known) <= _MOST_ASKED:
            return known
        worth = self._asked(text, terms)
        ordered = sorted(known.tolist(), key=lambda place: (-round(float(worth[place]), 12), text.terms[place]))
        return np.array(ordered[:_MOST_ASKED], dtype=np.int64)

    def _cosines(self, slots: Ints, weights: Values) -> Found:
        if self._next > self._limit:
            kept = slots >= self._next - self._limit
            slots, weights = slots[kept] % self._limit, weights[kept]
        sums = np.bincount(slots, weights)
        places = np.flatnonzero((sums > 0) & (self._squares[: len(sums)] > 0))
        cosines = np.minimum(sums[places] / np.sqrt(self._squares[places]), 1.0)
        return places + (self._next - 1 - places) // self._limit * self._limit, cosines


def _fitting(room: int, had: NDArray[np.int32], was: Flags, text: Text) -> tuple[NDArray[np.int32], Flags]:
    """Return counts and titles of those terms for which there is room; those that are there need none."""
    counts, titled = text.counts.copy(), text.titled.copy()
    held, in_title = (had > 0).tolist(), was.tolist()
    for place in np.flatnonzero(titled & ~was).tolist():
        titled[place] = in_title[place] = held[place] or room > 0
        room -= in_title[place] and not held[place]
    at = {term: place for place, term in enumerate(text.terms)}
    for place in map(at.__getitem__, text.body):
        if held[place] or in_title[place] or room > 0:
            room -= not held[place]
        else:
            counts[place] = 0
    return counts, titled
