"""Activities re-keyed to the people who took part: the records of ``contribution.v1``. Pure.

A record holds only what its activity says by itself, so it is the same whatever else has come by before.
"""

from collections.abc import Callable, Iterable
from typing import Any

from services.common.model import Enriched
from services.enrich.scoring.engagements import engagements, people_of
from services.enrich.scoring.terms import terms_of

_MOST_PEOPLE = 20


def contributions(
    one: Enriched, left: Callable[[str], bool], *, gone: bool, formerly: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Return a record per person who took part; without terms where it was withdrawn, and for who has it no more.

    People of whom ``left`` says that they want no part in it neither get one nor are named in another's. ``formerly``
    are people for whom the activity was counted before somebody else turned out to be behind the account.
    """
    terms = {} if gone else terms_of(one)
    counted = dict.fromkeys(people_of(one), terms) | {person: {} for person in sorted(formerly)}
    things = engagements(one)
    there = [person for person in dict.fromkeys((*people_of(one), *one.mention_people)) if not left(person)]
    return [
        {
            "person": person,
            "activity": one.activity.id,
            "object": things[0].object if things else one.activity.object.id,
            "container": one.activity.audience.container,
            "terms": said,
            "people": [other for other in there if other != person][:_MOST_PEOPLE],
            "published": one.activity.published,
        }
        for person, said in counted.items()
        if not left(person)
    ]
