"""Forward decay: what counts half after a while is added with a weight that grows instead, so that sums need no clock.

Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009. The sums do not depend on the order of arrival.
"""

import math
from functools import lru_cache

DAY = 86_400 * 1_000_000
"""Microseconds."""
_LANDMARK = 1_577_836_800 * 1_000_000
"""2020-01-01. With half-lives of 20 days or more, weights stay finite for half a century on either side."""
_FURTHEST = 1_000.0


@lru_cache(maxsize=256)
def weight(time: int, half_life: float) -> float:
    """Return the weight with which something at ``time`` (micros) is added, or a sum as of ``time`` is divided.

    ``half_life`` in days.
    """
    return math.exp2(min(max((time - _LANDMARK) / DAY / half_life, -_FURTHEST), _FURTHEST))


def aged(age: float, half_life: float) -> float:
    """Return what is left of 1 after ``age`` microseconds; ``half_life`` in days."""
    return math.exp2(-max(age, 0.0) / DAY / half_life)
