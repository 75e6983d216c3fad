"""Python's search for values in circles, done seldom where very many values are made that are in none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Many values at once, none of them in circles: the search for those would take a fifth of the time."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)


def collect_seldom() -> None:
    """The same for the rest of a process's life."""
    gc.set_threshold(100_000, *gc.get_threshold()[1:])
