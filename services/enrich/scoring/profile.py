"""What a person works on, from a set of contributions: the same whatever their order and number of deliveries. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.common.model import micros
from services.enrich.scoring.past import YEAR

_MOST_CONTRIBUTIONS = 500
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

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in a record of ``contribution.v1``."""
        self.contributions[record["activity"]] = Contribution(
            record["container"], record["terms"], tuple(record["people"]), micros(record["published"])
        )
        if len(self.contributions) > 2 * _MOST_CONTRIBUTIONS:
            self._thin()

    def _thin(self) -> None:
        newest = sorted(self.contributions.items(), key=lambda pair: (-pair[1].time, pair[0]))
        self.contributions = dict(newest[:_MOST_CONTRIBUTIONS])

    def record(self) -> dict[str, Any]:
        """Return the record of schema ``profile``; containers count within a year, terms and people decay."""
        newest = max(one.time for one in self.contributions.values())
        containers: defaultdict[str, float] = defaultdict(float)
        terms: defaultdict[str, float] = defaultdict(float)
        people: defaultdict[str, float] = defaultdict(float)
        current = [one for one in self.contributions.values() if one.time > newest - YEAR]
        # In the order of time, so that the same set gives the same sums to the last digit.
        for one in sorted(current, key=lambda one: (one.time, one.container)):
            decayed = 0.5 ** ((newest - one.time) / _HALF_LIFE)
            containers[one.container] += 1.0
            for term, weight in one.terms.items():
                terms[term] += weight * decayed
            for person in one.people:
                people[person] += decayed
        return {
            "person": self.person,
            "containers": dict(containers),
            "terms": _largest(terms, _MOST_TERMS),
            "people": _largest(people, _MOST_PEOPLE),
            "actions": len(current),
            "asOf": newest,
        }


def _largest(weights: Mapping[str, float], most: int) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:most])
