"""What scoring keeps of compacted topics: who has left, units, and what people said of what they were shown."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from threading import RLock
from typing import Any

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.topics import Topic
from services.common.view import View

_MOST_SEEN = 500
"""Things shown to a person that are remembered; the oldest makes room."""
_OURS = ("for-you", "mail")
"""Surfaces on which recommendations are shown; what is seen elsewhere needs no recommending any more."""
_log = logs.get(__name__)


class Records:
    """The decoded records of one topic, handed to ``take``; ``load`` first, then run ``follow``."""

    topic: Topic

    def __init__(self, bus: Bus) -> None:
        self.lock = RLock()
        """Held while a record is taken: what is asked is asked in the thread."""
        self._codec = Codec(self.topic.schema)
        self._view = View(bus, self.topic.name(bus.prefix), self._decode)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def _decode(self, received: Received) -> None:
        try:
            record = self._codec.decode(received.value) if received.value is not None else None
            with self.lock:
                self.take(received.key, record)
        except Reject as error:
            _log.error("record cannot be read and is left out", topic=self.topic.suffix, reason=str(error))

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a record, or a tombstone."""
        raise NotImplementedError


class Left:
    """People who want no part in it, and why we know; listeners are told of each who comes to it or leaves it."""

    def __init__(self) -> None:
        self._because: dict[str, set[str]] = {}
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell a listener from now on."""
        self._listeners.append(listener)

    def say(self, person: str, because: str, *, left: bool) -> None:
        """Take it that somebody has left, or has come back, for one of several reasons."""
        before = person in self
        reasons = self._because.setdefault(person, set())
        (reasons.add if left else reasons.discard)(because)
        if not reasons:
            del self._because[person]
        if before != (person in self):
            for listener in self._listeners:
                listener(person)

    def __contains__(self, person: str) -> bool:
        return person in self._because

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._because))


class Persons(Records):
    """Units of people, and who has opted out by ``person.v1``."""

    topic = topics.PERSON

    def __init__(self, bus: Bus, left: Left) -> None:
        super().__init__(bus)
        self._left = left
        self._units: dict[str, str] = {}

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take what is known of a person."""
        self._left.say(key, "person.v1", left=record is not None and record["optOut"])
        self._units.pop(key, None)
        if record is not None and record["units"]:
            self._units[key] = record["units"][0]

    def unit(self, person: str) -> str:
        """Return the outermost unit of a person, empty where none is known."""
        return self._units.get(person, "")


class Erasures(Records):
    """Who has asked to be forgotten."""

    topic = topics.ERASURE

    def __init__(self, bus: Bus, left: Left) -> None:
        super().__init__(bus)
        self._left = left

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take a request; what subscribers say of it changes nothing here."""
        for person in (record["person"], *record["accounts"]) if record else ():
            if person:
                self._left.say(person, "erasure.v1", left=True)


class Feedback(Records):
    """What people saw, muted, want more or less of and follow. ``changed`` is told whose selection it may change."""

    topic = topics.FEEDBACK

    def __init__(
        self,
        bus: Bus,
        left: Left,
        changed: Callable[[str], None] = lambda _: None,
        followed: Callable[[str, str, bool], None] = lambda *_: None,
    ) -> None:
        super().__init__(bus)
        self._left = left
        self._changed = changed
        self._followed = followed
        self._shown: dict[str, OrderedDict[str, None]] = {}
        self._met: dict[str, OrderedDict[str, None]] = {}
        self._muted: dict[str, set[str]] = {}
        self._useless: dict[str, set[str]] = {}
        self._liked: dict[str, dict[str, tuple[str, int]]] = {}

    def take(self, key: str, record: Mapping[str, Any] | None) -> None:
        """Take an act; taken back, it is as if it had not been."""
        if record is None:
            return
        person, subject, kind, on = record["person"], record["subject"], record["kind"], not record["undone"]
        if kind in ("seen", "opened"):
            where = self._shown if record["surface"] in _OURS else self._met
            _remember(where.setdefault(person, OrderedDict()), subject, on=on)
        elif kind in ("mute", "not-useful"):
            refused = (self._muted if kind == "mute" else self._useless).setdefault(person, set())
            (refused.add if on else refused.discard)(subject)
        elif kind in ("more", "less"):
            self._like(person, f"{kind}|{subject}", record["container"], (1 if kind == "more" else -1) * on)
        elif kind == "opt-out":
            self._left.say(person, "feedback.v1", left=on)
        elif kind == "follow":
            self._followed(person, subject, on)
        self._changed(person)

    def _like(self, person: str, act: str, container: str, value: int) -> None:
        acts = self._liked.setdefault(person, {})
        acts.pop(act, None)
        if value and container:
            acts[act] = container, value

    def shown(self, person: str) -> frozenset[str]:
        """Return the objects that were recommended to the person and looked at."""
        with self.lock:
            return frozenset(self._shown.get(person, ()))

    def met(self, person: str) -> frozenset[str]:
        """Return the objects that the person came across elsewhere."""
        with self.lock:
            return frozenset(self._met.get(person, ()))

    def muted(self, person: str) -> frozenset[str]:
        """Return the objects, conversations, places and people that the person wants nothing of."""
        with self.lock:
            return frozenset(self._muted.get(person, ()))

    def declines(self, person: str, other: str) -> bool:
        """Return whether the person has declined, silently, to meet another."""
        with self.lock:
            return other in self._muted.get(person, ()) or other in self._useless.get(person, ())

    def liking(self, person: str, container: str) -> int:
        """Return how often the person wanted more of a place, less how often less of it."""
        with self.lock:
            return sum(value for where, value in self._liked.get(person, {}).values() if where == container)


def _remember(subjects: OrderedDict[str, None], subject: str, *, on: bool) -> None:
    subjects.pop(subject, None)
    if on:
        subjects[subject] = None
    if len(subjects) > _MOST_SEEN:
        subjects.popitem(last=False)
