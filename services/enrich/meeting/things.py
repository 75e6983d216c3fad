"""What people took part in, as far as one may be reminded of it: objects with title, words, access and people. Pure.

What a thing is called comes from its earliest activity, whenever that is delivered; people are there since the earliest
of theirs. So it is the same whatever the order and number of deliveries. Bounded: the thing that was longest without
activity makes room.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.common.model import Activity, Enriched, micros
from services.enrich.scoring.engagements import engagements, in_thread, people_of
from services.enrich.scoring.terms import terms_of, title_of


@dataclass(slots=True)
class Thing:
    """One object of engagement. Times in micros; ``people`` has the first time of each."""

    key: str
    began: tuple[int, str]
    """Time and id of the earliest activity, from which the fields down to ``terms`` are."""
    object: str = ""
    author: str = ""
    container: str = ""
    """The container whose access record decides."""
    place: str = ""
    title: str = ""
    terms: dict[str, float] = field(default_factory=dict)
    last: int = 0
    people: dict[str, int] = field(default_factory=dict)
    withdrawn: bool = False
    crowded: bool = False
    """So many people came that it ties nobody."""


class Things:
    """Things by key. ``clock`` is the largest event time seen."""

    def __init__(self, most: int = 60_000) -> None:
        self.clock = 0
        self._most = most
        self._things: OrderedDict[str, Thing] = OrderedDict()
        self._of_person: dict[str, set[str]] = {}
        self._seen: dict[str, int] = {}
        self._withdrawn: OrderedDict[str, None] = OrderedDict()
        self._begun_by: dict[str, str] = {}

    def get(self, key: str) -> Thing | None:
        """Return a thing."""
        return self._things.get(key)

    def __iter__(self) -> Iterator[Thing]:
        return iter(self._things.values())

    def of(self, person: str) -> list[Thing]:
        """Return what a person took part in, what had activity last first."""
        mine = [self._things[key] for key in self._of_person.get(person, ())]
        return sorted(mine, key=lambda thing: (-thing.last, thing.key))

    def number_of(self, person: str) -> int:
        """Return in how many things a person took part."""
        return len(self._of_person.get(person, ()))

    def seen(self, person: str) -> int:
        """Return when a person took part in anything last, in micros; 0 for never."""
        return self._seen.get(person, 0)

    def observe(self, one: Enriched) -> list[tuple[Thing, tuple[str, ...]]]:
        """Take in an activity; return its things, each with those who are there now, or earlier than was known."""
        time = micros(one.activity.published)
        self.clock = max(self.clock, time)
        return [(thing, self._join(thing, one, time)) for thing in self._touched(one, time)]

    def _touched(self, one: Enriched, time: int) -> list[Thing]:
        began = time, one.activity.id
        touched = []
        for engaged in engagements(one):
            thing = self._things.get(engaged.object)
            if thing is None:
                thing = self._things[engaged.object] = Thing(engaged.object, began)
                self._describe(thing, one)
                self._make_room()
            elif began < thing.began:
                thing.began = began
                self._describe(thing, one)
            thing.last = max(thing.last, time)
            thing.withdrawn = thing.object in self._withdrawn
            if thing.withdrawn:
                _blank(thing)
            self._things.move_to_end(thing.key)
            touched.append(thing)
        return touched

    def _describe(self, thing: Thing, one: Enriched) -> None:
        self._begun_by.pop(thing.object, None)
        _describe(thing, one)
        self._begun_by[thing.object] = thing.key

    def _join(self, thing: Thing, one: Enriched, time: int) -> tuple[str, ...]:
        new = tuple(person for person in people_of(one) if time < thing.people.get(person, time + 1))
        for person in people_of(one):
            self._seen[person] = max(time, self.seen(person))
        for person in new:
            thing.people[person] = time
            self._of_person.setdefault(person, set()).add(thing.key)
        return new

    def _make_room(self) -> None:
        if len(self._things) > self._most:
            _, oldest = self._things.popitem(last=False)
            self._begun_by.pop(oldest.object, None)
            for person in oldest.people:
                self._leave(person, oldest.key)

    def _leave(self, person: str, key: str) -> None:
        mine = self._of_person[person]
        mine.discard(key)
        if not mine:
            del self._of_person[person], self._seen[person]

    def withdraw(self, object_id: str) -> Thing | None:
        """Forget title and words that came from a withdrawn object; return the thing that it was the beginning of."""
        self._withdrawn[object_id] = None
        if len(self._withdrawn) > self._most:
            self._withdrawn.popitem(last=False)
        thing = self._things.get(self._begun_by.get(object_id, ""))
        if thing is not None:
            _blank(thing)
        return thing

    def forget(self, person: str) -> list[Thing]:
        """Let a person have been nowhere; return where they were."""
        left = self.of(person)
        for thing in left:
            del thing.people[person]
        self._of_person.pop(person, None)
        self._seen.pop(person, None)
        return left


def _describe(thing: Thing, one: Enriched) -> None:
    activity = one.activity
    thing.object, thing.author, thing.container = activity.object.id, one.person, activity.audience.container
    thing.place, thing.title = _place(activity), title_of(one)
    thing.terms = {} if one.automated else terms_of(one)


def _blank(thing: Thing) -> None:
    thing.withdrawn, thing.title, thing.terms = True, "", {}


def _place(activity: Activity) -> str:
    places = [container.name for container in activity.context if container.type != "Thread"]
    return places[-1] if places and in_thread(activity) else (activity.context[0].name if activity.context else "")
