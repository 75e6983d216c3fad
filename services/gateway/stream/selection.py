"""What a reader asked for: one question, or several with names. Readers that asked for the same share their bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from services.common.search.conditions import Condition
from services.gateway.filters import Facts, Filters

Feed = Literal["following", "mentions", "notifications"]
"""Feeds of somebody's own, each a part of what they may see."""
FEEDS: tuple[Feed, ...] = get_args(Feed)
Names = tuple[str, ...]
"""Names of the questions that an event answers; empty: none of them."""
UNNAMED: Names = ("",)
"""What an event answers for a reader who asked one question only."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question: filters, and what is left out of what they find (what the reader's rules mute)."""

    filters: Filters
    unless: Condition | None = None
    feed: Feed | None = None
    """The feed of the reader's own that it is of."""

    def asks(self, facts: Facts) -> bool:
        """Return whether an activity answers it."""
        return facts.match(self.filters) and (self.unless is None or not facts.hold(self.unless))


@dataclass(frozen=True, slots=True)
class Selection:
    """Questions to one feed, each with its name; several of one name are alternatives. Readers are grouped by it."""

    parts: tuple[tuple[str, Question], ...] = ()

    @classmethod
    def one(cls, filters: Filters) -> "Selection":
        """Return the selection of a reader who asked one question."""
        return cls((("", Question(filters)),))

    @classmethod
    def of(cls, named: Mapping[str, Iterable[Question]]) -> "Selection":
        """Return the selection of a reader with several questions."""
        return cls(tuple((name, question) for name in sorted(named) for question in named[name]))

    def names(self, facts: Facts) -> Names:
        """Return which questions an activity answers."""
        return tuple(dict.fromkeys(name for name, question in self.parts if question.asks(facts)))
