"""Things that are changed together: who works on one of them is needed at the others. Pure, bounded.

Changed together are those that one person changes within days of each other; how much they belong together is the
cosine of these counts. After Zimmermann, Weissgerber, Diehl and Zeller: Mining Version Histories to Guide Software
Changes, ICSE 2004, who count commits; areas of code are seldom in one commit and often in one person's week.
"""

from collections import OrderedDict

import numpy as np

from services.enrich.scoring.relevance.decay import DAY, weight
from services.enrich.scoring.relevance.rows import Row, Rows

_HALF_LIFE = 120.0
_SPAN = 5 * DAY
_LATELY = 15
"""Things that a person changed last, which the next one is counted with."""
_KEPT = 60
_MOST = 40
_SOME = 0.5
"""Prior count: things changed once say little."""


class Together:
    """How often things were changed together, decaying. A thing is known by the number of its text, which grows."""

    def __init__(self) -> None:
        self._counts: Rows[int] = Rows(_KEPT)
        self._totals: dict[int, float] = {}
        self._lately: dict[int, OrderedDict[int, int]] = {}
        self._gone = -1

    def change(self, slot: int, thing: int, time: int) -> None:
        """Take note that a person changed something at ``time`` (micros)."""
        lately, amount = self._lately.setdefault(slot, OrderedDict()), weight(time, _HALF_LIFE)
        for other, at in lately.items():
            if other != thing and other > self._gone and abs(time - at) < _SPAN:
                for one, two in ((thing, other), (other, thing)):
                    self._counts.add(one, two, amount)
                    self._totals[one] = self._totals.get(one, 0.0) + amount
        lately[thing] = max(time, lately.pop(thing, time))
        if len(lately) > _LATELY:
            lately.popitem(last=False)

    def others(self, thing: int, now: int) -> Row:
        """Return what is changed together with something, the most first, and how much it belongs to it (0..1)."""
        others, counts = self._counts.row(thing)
        if not len(others):
            return others, counts
        scale = weight(now, _HALF_LIFE)
        totals = np.array([self._totals.get(other, 0.0) for other in others.tolist()]) / scale
        own = self._totals[thing] / scale
        cosines = counts / scale / np.sqrt((totals + _SOME) * (own + _SOME))
        best = np.lexsort((others, -cosines))[:_MOST]
        return others[best], cosines[best]

    def drop(self, thing: int) -> None:
        """Forget the oldest thing, which made room."""
        self._gone = max(self._gone, thing)
        self._counts.forget_row(thing)
        self._totals.pop(thing, None)

    def forget(self, slot: int) -> None:
        """Forget what a person changed last; counts of things say nothing about people."""
        self._lately.pop(slot, None)
