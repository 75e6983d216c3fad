"""Past objects by similarity: an inverted index with TF-IDF weights and cosine, bounded in objects and postings. Pure.

The objects lie in a ring: the oldest makes room for the newest. A term remembers its newest thousand objects; what is
in more of them says little about any. Inverse document frequencies are those of the moment of asking.
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

_MOST_POSTINGS = 1_000
_MOST_ASKED = 16
"""Terms of a question, the rarest first: the others cost time and change nothing."""
_LEAST = 0.12
"""Cosine below which two texts have little more in common than their language."""


@dataclass(slots=True)
class _Postings:
    slots: "array[int]" = field(default_factory=lambda: array("q"))
    weights: "array[float]" = field(default_factory=lambda: array("d"))
    objects: int = 0

    def add(self, slot: int, weight: float) -> None:
        self.slots.append(slot)
        self.weights.append(weight)
        self.objects += 1
        if len(self.slots) > 2 * _MOST_POSTINGS:
            del self.slots[:-_MOST_POSTINGS]
            del self.weights[:-_MOST_POSTINGS]


class Similar:
    """Keys of objects by terms."""

    def __init__(self, limit: int = 60_000) -> None:
        self._limit = limit
        self._next = 0
        self._normed_at = 0
        self._postings: dict[str, _Postings] = {}
        self._keys: list[str] = [""] * limit
        self._terms: list[Mapping[str, float]] = [{}] * limit
        self._norms = np.full(limit, np.inf)
        self._times = np.zeros(limit, dtype=np.int64)

    def __len__(self) -> int:
        return min(self._next, self._limit)

    def add(self, key: str, terms: Mapping[str, float], time: int) -> tuple[int, str]:
        """Take in an object as of ``time`` (micros); return its slot and the key that had to make room, or ""."""
        slot, place = self._next, self._next % self._limit
        gone = self._keys[place]
        self._forget(place)
        self._next += 1
        for term, weight in terms.items():
            self._postings.setdefault(term, _Postings()).add(slot, weight)
        self._keys[place], self._terms[place], self._times[place] = key, terms, time
        self._norms[place] = self._norm(terms)
        if self._next > 1.5 * self._normed_at:
            self._norm_all()
        return slot, gone

    def _norm(self, terms: Mapping[str, float]) -> float:
        squares = sum((weight * self.rarity(term)) ** 2 for term, weight in terms.items())
        return math.sqrt(squares) if squares else math.inf

    def _norm_all(self) -> None:
        # Rarities grow with the number of objects, so lengths taken long ago would be too short.
        self._normed_at = self._next
        for place in range(len(self)):
            self._norms[place] = self._norm(self._terms[place])

    def remove(self, slot: int) -> None:
        """Let an object be found no more (its text was withdrawn)."""
        if self._next - self._limit <= slot < self._next:
            self._forget(slot % self._limit)

    def _forget(self, place: int) -> None:
        for term in self._terms[place]:
            postings = self._postings[term]
            postings.objects -= 1
            if not postings.objects:
                del self._postings[term]
        self._keys[place], self._terms[place], self._norms[place] = "", {}, np.inf

    def rarity(self, term: str) -> float:
        """Return the inverse document frequency, smoothed."""
        postings = self._postings.get(term)
        return math.log((1 + len(self)) / (1 + (postings.objects if postings else 0))) + 0.1

    def like(self, terms: Mapping[str, float], time: int, most: int = 50) -> list[tuple[str, float]]:
        """Return the keys of the objects most like these terms that were there before ``time``, with their cosine."""
        asked = {term: weight * self.rarity(term) for term, weight in terms.items()}
        norm = math.sqrt(sum(weight**2 for weight in asked.values()))
        rarest = sorted(asked, key=lambda term: -asked[term])[:_MOST_ASKED]
        found = [(self._postings[term], asked[term] * self.rarity(term)) for term in rarest if term in self._postings]
        if not found or not norm:
            return []
        slots = np.concatenate([np.array(one.slots, dtype=np.int64) for one, _ in found])
        products = np.concatenate([np.array(one.weights) * weight for one, weight in found])
        kept = slots >= self._next - self._limit
        sums = np.bincount(slots[kept] % self._limit, weights=products[kept], minlength=0)
        cosines = np.minimum(sums / (self._norms[: len(sums)] * norm), 1.0)
        cosines[self._times[: len(sums)] >= time] = 0.0
        near = np.flatnonzero(cosines >= _LEAST)
        best = near[np.argsort(-cosines[near], kind="stable")[:most]]
        return [(self._keys[place], float(cosines[place])) for place in best]
