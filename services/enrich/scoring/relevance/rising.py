"""Terms that come up more than they used to, and in which places. Pure, bounded: no people in it."""

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest, nsmallest

from services.enrich.scoring.relevance.decay import weight

_LATELY, _USUALLY = 20.0, 90.0
"""Half-lives in days. What comes up as often as ever has sums in the ratio of these."""
_TERMS = 100_000
_PLACES = 24
_OF_TEXT = 60
_ASKED = 16
_LEAST = 1.2
"""Of late, decayed, below which a term does not count as coming up in a place: a single text makes no trend."""
_ENOUGH = 3.0
_MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class Risen:
    """How much a text's terms rise, places elsewhere with their shares of it, and the terms that rise elsewhere."""

    much: float = 0.0
    places: tuple[tuple[str, float], ...] = ()
    terms: tuple[str, ...] = ()


class Rising:
    """Decaying counts of terms by place. A term that has not come up for longest makes room; so does a place of it."""

    def __init__(self, terms: int = _TERMS) -> None:
        self._most = terms
        self._terms: OrderedDict[str, dict[str, tuple[float, float]]] = OrderedDict()

    def take(self, terms: Iterable[str], place: str, time: int) -> None:
        """Take in a text's terms, said in a place at ``time`` (micros)."""
        lately, usually = weight(time, _LATELY), weight(time, _USUALLY)
        for _, term in zip(range(_OF_TEXT), terms, strict=False):
            places = self._terms.get(term)
            if places is None:
                places = self._terms[term] = {}
            else:
                self._terms.move_to_end(term)
            before = places.get(place, (0.0, 0.0))
            places[place] = before[0] + lately, before[1] + usually
            if len(places) > 2 * _PLACES:
                for gone in nsmallest(_PLACES, places, key=lambda one: (places[one], one)):
                    del places[gone]
        while len(self._terms) > self._most:
            self._terms.popitem(last=False)

    def of(self, asked: Mapping[str, float], place: str, now: int) -> Risen:
        """Return how a text's terms rise, by their weights in it: at all, and outside of ``place``."""
        scales, much = (weight(now, _LATELY), weight(now, _USUALLY)), 0.0
        places: dict[str, float] = {}
        terms: dict[str, float] = {}
        for term in nlargest(_ASKED, asked, key=lambda term: (asked[term], term)):
            worth = asked[term] ** 2
            sums = [(one, a / scales[0], b / scales[1]) for one, (a, b) in self._terms.get(term, {}).items()]
            lately = sum(one[1] for one in sums)
            much += worth * _rise(lately, sum(one[2] for one in sums)) * min(lately, _ENOUGH) / _ENOUGH
            for one, late, usual in sums:
                rises = _rise(late, usual) if one != place and late >= _LEAST else 0.0
                if rises:
                    places[one] = places.get(one, 0.0) + worth * rises * math.log1p(late)
                    terms[term] = terms.get(term, 0.0) + worth * rises
        best = nlargest(_MOST_PLACES, places.items(), key=lambda one: (one[1], one[0]))
        total = sum(rises for _, rises in best)
        shares = tuple((one, rises / total) for one, rises in best)
        return Risen(much, shares, tuple(nlargest(len(terms), terms, key=lambda one: (terms[one], one))))


def _rise(lately: float, usually: float) -> float:
    """Return the logarithm of how much more often something comes up than it did; 0 where it does not."""
    return max(math.log((lately * _USUALLY / _LATELY + 1.0) / (usually + 1.0)), 0.0)
