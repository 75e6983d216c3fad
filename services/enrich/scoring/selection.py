"""Which of a day's candidates a person is given: folded, diverse, within the budget of attention. Pure.

The choice is a function of the set of candidates, whatever order they came in: so repetitions, other batches and other
workers change nothing, and the five of a day are its best five and not its first. What the person has seen already
stays, and uses its part of the budget.
"""

from collections.abc import Collection, Iterable

from services.common.diversity import diversified
from services.common.recommendation import Recommendation


def selected(
    candidates: Iterable[Recommendation], daily: int, seen: Collection[str] = frozenset()
) -> list[Recommendation]:
    """Return what one person is given of the candidates of one day, best first.

    ``seen`` are ids of objects that were shown on the person's page: each takes a place of the ``daily`` ones, also
    when it is no candidate any more.
    """
    ranked = sorted(candidates, key=lambda one: (-one.score, one.object))
    kept = [one for one in ranked if one.object in seen]
    others = [one for one in ranked if one.object not in seen]
    fresh = _folded(others, kept)
    room = max(0, daily - len(seen))
    chosen = diversified([(one.score, one) for one in fresh], room) if len(fresh) > room else fresh
    return sorted([*kept, *chosen], key=lambda one: (-one.score, one.object))


def _folded(ranked: Iterable[Recommendation], kept: Iterable[Recommendation]) -> list[Recommendation]:
    """Return the best of each burst and of each conversation; none of those of which one is kept already."""
    taken = {name for one in kept for name in _groups(one)}
    folded = []
    for one in ranked:
        groups = _groups(one)
        if taken.isdisjoint(groups):
            folded.append(one)
            taken |= groups
    return folded


def _groups(one: Recommendation) -> set[tuple[str, str]]:
    return {(kind, name) for kind, name in (("burst", one.burst), ("thread", one.thread)) if name}
