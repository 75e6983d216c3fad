"""What a person works on, from a set of contributions: the same whatever their order and number of deliveries. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.common.model import micros
from services.common.recommendation import DAY

YEAR = 365 * DAY
_MOST_CONTRIBUTIONS = 500
_DESCRIBED_BY = 100
"""Newest contributions from which terms and people are taken: what was before has decayed, and would cost as much."""
_MOST_TERMS = 200
_MOST_PEOPLE = 100
_HALF_LIFE = YEAR / 4
"""Microseconds after which what somebody wrote about counts half."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One activity of the person, as far as the profile needs it. ``time`` in micros."""

    container: str
    terms: Mapping[str, float]
    people: tuple[str, ...]
    time: int


@dataclass(slots=True)
class Profile:
    """The newest contributions of a person within a year of the newest, by activity id; the last writer wins."""

    person: str
    contributions: dict[str, Contribution] = field(default_factory=dict)
    surplus: set[str] = field(default_factory=set)
    """Activities that count no more, until they are erased from the log."""

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in a record of ``contribution.v1``."""
        self.surplus.discard(record["activity"])
        self.contributions[record["activity"]] = Contribution(
            record["container"], record["terms"], tuple(record["people"]), micros(record["published"])
        )
        if len(self.contributions) > 2 * _MOST_CONTRIBUTIONS:
            self._thin()

    def _thin(self) -> None:
        newest = sorted(self.contributions.items(), key=lambda pair: (-pair[1].time, pair[0]))
        self.contributions = dict(newest[:_MOST_CONTRIBUTIONS])
        self.surplus.update(activity for activity, _ in newest[_MOST_CONTRIBUTIONS:])

    def record(self) -> dict[str, Any]:
        """Return the record of schema ``profile``; containers count within a year, terms and people decay."""
        # A fixed order, so that the same set gives the same sums to the last digit.
        ordered = sorted(self.contributions.items(), key=lambda pair: (-pair[1].time, pair[0]))
        newest = ordered[0][1].time
        current = [one for _, one in ordered if one.time > newest - YEAR]
        containers = Counter(one.container for one in current)
        terms: defaultdict[str, float] = defaultdict(float)
        people: defaultdict[str, float] = defaultdict(float)
        for one in current[:_DESCRIBED_BY]:
            decayed = 0.5 ** ((newest - one.time) / _HALF_LIFE)
            for term, weight in one.terms.items():
                terms[term] += weight * decayed
            for person in one.people:
                people[person] += decayed
        return {
            "person": self.person,
            "containers": {container: float(count) for container, count in containers.items()},
            "terms": _largest(terms, _MOST_TERMS),
            "people": _largest(people, _MOST_PEOPLE),
            "actions": len(current),
            "asOf": newest,
        }


def _largest(weights: Mapping[str, float], most: int) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:most])
