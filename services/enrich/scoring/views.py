"""What scoring keeps of compacted topics: who has left, units, and what people said of what they were shown."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

from services.common import topics
from services.common.bus import Bus, Received
from services.common.view import DecodedView

_MOST_SEEN = 500
"""Things shown to a person that are remembered; the oldest makes room."""
_OURS = ("for-you", "mail")
"""Surfaces on which recommendations are shown; what is seen elsewhere needs no recommending any more."""


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


class Persons(DecodedView):
    """Units of people, and who has opted out by ``person.v1``."""

    def __init__(self, bus: Bus, left: Left) -> None:
        super().__init__(bus, topics.PERSON)
        self._left = left
        self._units: dict[str, str] = {}

    def take(self, received: Received, record: Mapping[str, Any] | None) -> None:
        """Take what is known of a person."""
        key = received.key
        self._left.say(key, "person.v1", left=record is not None and record["optOut"])
        self._units.pop(key, None)
        if record is not None and record["units"]:
            self._units[key] = record["units"][0]

    def unit(self, person: str) -> str:
        """Return the outermost unit of a person, empty where none is known."""
        return self._units.get(person, "")


class Erasures(DecodedView):
    """Who has asked to be forgotten."""

    def __init__(self, bus: Bus, left: Left) -> None:
        super().__init__(bus, topics.ERASURE)
        self._left = left

    def take(self, _: Received, record: Mapping[str, Any] | None) -> None:
        """Take a request; what subscribers say of it changes nothing here."""
        for person in (record["person"], *record["accounts"]) if record else ():
            if person:
                self._left.say(person, "erasure.v1", left=True)


@dataclass(frozen=True, slots=True)
class Said:
    """What one person has said and seen of what may be recommended.

    ``shown``: objects that were recommended and looked at; ``met``: objects come across elsewhere; ``muted``: objects,
    conversations, places and people of which nothing is wanted; ``liked``: by place, how often more of it was wanted
    less how often less of it.
    """

    shown: frozenset[str]
    met: frozenset[str]
    muted: frozenset[str]
    liked: Mapping[str, int]


class Feedback(DecodedView):
    """What people saw, muted, want more or less of and follow. ``changed`` is told whose selection it may change."""

    def __init__(
        self,
        bus: Bus,
        left: Left,
        changed: Callable[[str], None] = lambda _: None,
        followed: Callable[[str, str, bool], None] = lambda *_: None,
    ) -> None:
        super().__init__(bus, topics.FEEDBACK)
        self._lock = RLock()
        """Held while an act is taken: what is asked is asked in the thread."""
        self._left = left
        self._changed = changed
        self._followed = followed
        self._shown: dict[str, OrderedDict[str, None]] = {}
        self._met: dict[str, OrderedDict[str, None]] = {}
        self._muted: dict[str, set[str]] = {}
        self._useless: dict[str, set[str]] = {}
        self._liked: dict[str, dict[str, tuple[str, int]]] = {}

    def take(self, _: Received, record: Mapping[str, Any] | None) -> None:
        """Take an act."""
        if record is not None:
            with self._lock:
                self.hear(record)

    def hear(self, record: Mapping[str, Any]) -> None:
        """Take an act; taken back, it is as if it had not been."""
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

    def of(self, person: str) -> Said:
        """Return what a person has said and seen by now."""
        with self._lock:
            shown = frozenset(self._shown.get(person, ()))
            liked = Counter[str]()
            for container, value in self._liked.get(person, {}).values():
                liked[container] += value
            met, muted = self._met.get(person, ()), self._muted.get(person, ())
            return Said(shown, frozenset(met) - shown, frozenset(muted), liked)

    def declines(self, person: str, other: str) -> bool:
        """Return whether the person has declined, silently, to meet another."""
        with self._lock:
            return other in self._muted.get(person, ()) or other in self._useless.get(person, ())


def _remember(subjects: OrderedDict[str, None], subject: str, *, on: bool) -> None:
    subjects.pop(subject, None)
    if on:
        subjects[subject] = None
    if len(subjects) > _MOST_SEEN:
        subjects.popitem(last=False)
