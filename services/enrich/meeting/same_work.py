"""Same work, unaware: containers whose recent things are alike while their people are not linked. Pure.

A container is described by the words of its things of the last 60 days, the rarer among containers the more telling.
Candidates come by shared rare words, never by comparing all with all.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from services.enrich.meeting.attendance import DAY
from services.enrich.meeting.things import Thing

_RECENT = 60 * DAY
_LEAST_PEOPLE, _LEAST_THINGS = 3, 3
_LEAST_LIKENESS = 0.25
_LEAST_WORDS = 3
_MOST_LINKED = 0.05
"""Share of the pairs between two groups that may be linked, or be one person, for them to count as unaware."""
_MOST_SHARING = 20
"""Containers beyond which a word says nothing about any of them."""
_MOST_TERMS, _MOST_WORDS, _MOST_EVIDENCE = 60, 5, 3


@dataclass(frozen=True, slots=True)
class SameWork:
    """Two containers in order of their ids, how alike they are (cosine), the words and things that show it."""

    containers: tuple[str, str]
    likeness: float
    words: tuple[str, ...]
    objects: tuple[tuple[str, ...], tuple[str, ...]]
    """Ids of objects, of each container."""
    people: tuple[int, int]

    @property
    def key(self) -> str:
        """Key in ``trend.v1``: without a time, since it is reported once."""
        return f"same-work:{' '.join(self.containers)}"


@dataclass(slots=True)
class _Group:
    things: list[Thing] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    words: dict[str, float] = field(default_factory=dict)


def same_work(things: Iterable[Thing], clock: int, neighbours: Callable[[str], Collection[str]]) -> list[SameWork]:
    """Return pairs of containers on the same work, the most alike first."""
    groups = _groups(things, clock)
    shared: Counter[tuple[str, str]] = Counter()
    for containers in _by_word(groups).values():
        shared.update(combinations(sorted(containers), 2))
    found = [_compare(pair, groups, neighbours) for pair, words in shared.items() if words >= _LEAST_WORDS]
    return sorted((one for one in found if one), key=lambda one: (-one.likeness, one.containers))


def _groups(things: Iterable[Thing], clock: int) -> dict[str, _Group]:
    groups: defaultdict[str, _Group] = defaultdict(_Group)
    for thing in things:
        if thing.last > clock - _RECENT and thing.terms and thing.people:
            groups[thing.container].things.append(thing)
            groups[thing.container].people |= thing.people.keys()
    kept = {
        container: group
        for container, group in groups.items()
        if container and len(group.things) >= _LEAST_THINGS and len(group.people) >= _LEAST_PEOPLE
    }
    _weigh(kept)
    return kept


def _weigh(groups: Mapping[str, _Group]) -> None:
    """Give each group its telling words, of length one together."""
    counts = {container: Counter(term for t in group.things for term in t.terms) for container, group in groups.items()}
    spread = Counter(term for count in counts.values() for term in count)
    for container, group in groups.items():
        rarity = {term: math.log((1 + len(groups)) / spread[term]) + 0.1 for term in counts[container]}
        # In one thing only is by chance; logarithms keep one word from being all that counts.
        weights = {t: (1 + math.log(n)) * rarity[t] for t, n in counts[container].items() if n > 1}
        best = sorted(weights, key=lambda term: (-weights[term], term))[:_MOST_TERMS]
        length = math.sqrt(sum(weights[term] ** 2 for term in best)) or 1.0
        group.words = {term: weights[term] / length for term in best}


def _by_word(groups: Mapping[str, _Group]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for container, group in groups.items():
        for term in group.words:
            found[term].append(container)
    return {term: containers for term, containers in found.items() if len(containers) <= _MOST_SHARING}


def _compare(
    pair: tuple[str, str], groups: Mapping[str, _Group], neighbours: Callable[[str], Collection[str]]
) -> SameWork | None:
    one, other = groups[pair[0]], groups[pair[1]]
    products = {term: one.words[term] * other.words[term] for term in one.words.keys() & other.words.keys()}
    likeness = sum(products.values())
    if likeness < _LEAST_LIKENESS or _linked_share(one.people, other.people, neighbours) > _MOST_LINKED:
        return None
    words = sorted(products, key=lambda term: (-products[term], term))
    return SameWork(
        containers=pair,
        likeness=likeness,
        words=tuple(words[:_MOST_WORDS]),
        objects=(_telling(one, products), _telling(other, products)),
        people=(len(one.people), len(other.people)),
    )


def _linked_share(one: set[str], other: set[str], neighbours: Callable[[str], Collection[str]]) -> float:
    smaller, larger = sorted((one, other), key=len)
    linked = sum(len(larger & {person, *neighbours(person)}) for person in smaller)
    return linked / (len(one) * len(other))


def _telling(group: _Group, products: Mapping[str, float]) -> tuple[str, ...]:
    """Return the things that hold most of what is shared."""
    weights = {t.object: sum(products.get(term, 0.0) for term in t.terms) for t in group.things}
    best = sorted(weights, key=lambda object_id: (-weights[object_id], object_id))
    return tuple(object_id for object_id in best if weights[object_id])[:_MOST_EVIDENCE]
