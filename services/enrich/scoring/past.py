"""What has happened, as far as recommending needs it: objects, who took part, and where people are at home. Pure.

Everything is the same when applied twice: participants and actions are sets by person and activity id. Bounded: the
oldest objects and actions make room. Times are event times in microseconds; the clock is the largest one seen.
"""

import textwrap
from collections import OrderedDict
from dataclasses import dataclass, field

from services.common.model import Enriched, micros
from services.enrich.scoring.similar import Similar
from services.enrich.scoring.terms import terms_of

YEAR = 365 * 86_400 * 1_000_000
_FEWEST_TERMS = 3
_LONGEST_TITLE = 60


@dataclass(slots=True)
class Past:
    """A past object; for chat, its thread. ``people`` has the first time at which each took part."""

    key: str
    object: str
    title: str
    container: str
    place: str
    first: str
    """Id of the activity by which it became known."""
    time: int
    people: dict[str, int] = field(default_factory=dict)
    terms: dict[str, float] = field(default_factory=dict)
    slot: int = -1
    withdrawn: bool = False


class History:
    """Past objects and actions."""

    def __init__(self, objects: int = 60_000, actions: int = 500_000) -> None:
        self.similar = Similar(objects)
        self.clock = 0
        self._most_objects = objects
        self._most_actions = actions
        self._objects: OrderedDict[str, Past] = OrderedDict()
        self._actions: OrderedDict[tuple[str, str], tuple[str, int]] = OrderedDict()
        self._home: dict[str, dict[str, int]] = {}
        self._totals: dict[str, int] = {}

    def object(self, key: str) -> Past | None:
        """Return a past object."""
        return self._objects.get(key)

    def actions(self, person: str, container: str = "") -> int:
        """Return how often a person acted, in a container or at all."""
        return self._home.get(person, {}).get(container, 0) if container else self._totals.get(person, 0)

    def add(self, one: Enriched) -> None:
        """Take in an activity."""
        time = micros(one.activity.published)
        self.clock = max(self.clock, time)
        past = self._objects.get(key_of(one)) or self._begin(one, time)
        if not past.terms and not past.withdrawn and not one.automated:
            self._index(past, one)
        for person in people_of(one):
            past.people[person] = min(time, past.people.get(person, time))
            self._act(person, one.activity.id, past.container, time)

    def forget(self, person: str) -> None:
        """Forget a person: actions, and the part taken in objects."""
        self._home.pop(person, None)
        self._totals.pop(person, None)
        self._actions = OrderedDict((key, value) for key, value in self._actions.items() if key[0] != person)
        for past in self._objects.values():
            past.people.pop(person, None)

    def withdraw(self, key: str) -> None:
        """Forget the text of an object."""
        past = self._objects.get(key)
        if past is not None:
            self.similar.remove(past.slot)
            past.withdrawn, past.title, past.terms = True, "", {}

    def _begin(self, one: Enriched, time: int) -> Past:
        activity = one.activity
        past = Past(
            key=key_of(one),
            object=activity.object.id,
            title=title_of(one),
            container=activity.audience.container,
            place=activity.context[0].name if activity.context else "",
            first=activity.id,
            time=time,
        )
        self._objects[past.key] = past
        if len(self._objects) > 2 * self._most_objects:
            self._objects.popitem(last=False)
        return past

    def _index(self, past: Past, one: Enriched) -> None:
        terms = terms_of(one)
        if len(terms) < _FEWEST_TERMS:
            return
        past.terms, past.title = terms, past.title or title_of(one)
        past.slot, gone = self.similar.add(past.key, terms, past.time)
        if gone:
            self._objects.pop(gone, None)

    def _act(self, person: str, activity: str, container: str, time: int) -> None:
        if (person, activity) in self._actions:
            return
        self._actions[person, activity] = container, time
        home = self._home.setdefault(person, {})
        home[container] = home.get(container, 0) + 1
        self._totals[person] = self._totals.get(person, 0) + 1
        if len(self._actions) > self._most_actions:
            self._leave()

    def _leave(self) -> None:
        (person, _), (container, _) = self._actions.popitem(last=False)
        home = self._home[person]
        home[container] -= 1
        self._totals[person] -= 1
        if not home[container]:
            del home[container]
        if not home:
            del self._home[person], self._totals[person]


def key_of(one: Enriched) -> str:
    """Return what a recommendation is about: a thread as a whole, else the object."""
    in_thread = any(container.type == "Thread" for container in one.activity.context)
    return one.thread if in_thread else one.activity.object.id


def people_of(one: Enriched) -> tuple[str, ...]:
    """Return who took part by this activity: its actor and co-authors, no bots."""
    return tuple(person for person in (one.person, *one.coauthor_people) if person)


def title_of(one: Enriched) -> str:
    """Return how the object is called: its title, else its thread's name, else the words that it begins with."""
    threads = [container.name for container in one.activity.context if container.type == "Thread"]
    title = one.activity.object.title or (threads[-1] if threads else "")
    return title or textwrap.shorten(one.text[: 10 * _LONGEST_TITLE], _LONGEST_TITLE, placeholder=" …")
