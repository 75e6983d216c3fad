"""How unexpected a count is, the same for who computes trends and for who shows a part of them. Pure."""

import math

LEAST_SCORE = 3.0
"""Below it, it is chance."""
LEAST_COUNT = 4


def surprise(count: float, expected: float) -> float:
    """Return the signed root of the Poisson deviance: how many standard deviations, for small numbers too.

    >>> round(surprise(9, 1), 2), surprise(2, 2)
    (4.87, 0.0)
    """
    if count <= 0:
        return -math.sqrt(2 * expected)
    deviance = 2 * (count * math.log(count / expected) - (count - expected))
    return math.copysign(math.sqrt(max(deviance, 0.0)), count - expected)
