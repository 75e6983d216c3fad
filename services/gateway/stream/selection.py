"""What a reader asked for: one question, or several with names. Readers that asked for the same share their bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.gateway.filters import Facts, Filters

Names = tuple[str, ...]
"""Names of the questions that an event answers; empty: none of them."""
UNNAMED: Names = ("",)
"""What an event answers for a reader who asked one question only."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Questions to one feed, each with its name. Hashable: it is what readers are grouped by."""

    parts: tuple[tuple[str, Filters], ...] = ()

    @classmethod
    def one(cls, filters: Filters) -> "Selection":
        """Return the selection of a reader who asked one question."""
        return cls((("", filters),))

    @classmethod
    def of(cls, named: Mapping[str, Filters]) -> "Selection":
        """Return the selection of a reader with several questions."""
        return cls(tuple(sorted(named.items(), key=lambda part: part[0])))

    def names(self, facts: Facts) -> Names:
        """Return which questions an activity answers."""
        return tuple(name for name, filters in self.parts if facts.match(filters))
