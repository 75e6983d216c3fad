"""The collector of cyclic garbage, told what these services are like.

Records come and go by the hundred thousand, are not cyclic and die by their reference counts. With its usual thresholds
the collector walks through them, and through everything that is kept, several times per batch: a seventh of all work.
"""

import gc

_YOUNG = 100_000


def calm() -> None:
    """Leave alone what is loaded by now, and look through new objects rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
