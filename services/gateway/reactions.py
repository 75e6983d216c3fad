"""What people did with what they were shown, from ``feedback.v1``, in memory: what hides things, what is followed."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from services.common import topics
from services.common.bus import Bus, Received
from services.common.recommendation import Recommendation
from services.common.view import DecodedView

HIDING = frozenset({"not-useful", "less", "mute"})
"""Acts after which the thing itself is not shown again."""
_FLEETING = frozenset({"seen", "opened"})
_MOST_SHOWN = 500


class Reactions(DecodedView):
    """``load`` first, then run ``follow`` as a part of the service."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.FEEDBACK)
        self._kinds: dict[str, dict[str, set[str]]] = {}
        self._shown: dict[str, OrderedDict[str, None]] = {}

    def take(self, received: Received, record: Mapping[str, Any] | None) -> None:
        """Take an act; one that was erased counts until the next start."""
        if record is not None:
            self.apply(record)

    def apply(self, record: Mapping[str, Any]) -> None:
        """Take an act; the last one of a kind wins. What was stored just now is applied before it comes back."""
        person, subject, kind = record["person"], record["subject"], record["kind"]
        if kind in _FLEETING:
            self._show(person, subject)
            return
        kinds = self._kinds.setdefault(person, {}).setdefault(subject, set())
        (kinds.discard if record["undone"] else kinds.add)(kind)
        if not kinds:
            del self._kinds[person][subject]

    def _show(self, person: str, subject: str) -> None:
        shown = self._shown.setdefault(person, OrderedDict())
        shown[subject] = None
        if len(shown) > _MOST_SHOWN:
            shown.popitem(last=False)

    def of(self, person: str, subject: str) -> frozenset[str]:
        """Return the kinds of acts of a person about something that stand."""
        return frozenset(self._kinds.get(person, {}).get(subject, ()))

    def shown(self, person: str, subject: str) -> bool:
        """Return whether something was shown to a person before."""
        return subject in self._shown.get(person, ())

    def follows(self, person: str) -> tuple[str, ...]:
        """Return what a person follows: people, places and tags, by id."""
        return self.subjects(person, "follow")

    def subjects(self, person: str, kind: str) -> tuple[str, ...]:
        """Return what the acts of a kind are about that stand."""
        return tuple(subject for subject, kinds in self._kinds.get(person, {}).items() if kind in kinds)

    def hides(self, one: Recommendation) -> bool:
        """Return whether its person wants nothing of a recommendation."""
        if self.of(one.person, one.object) & HIDING:
            return True
        around = (one.thread, one.container, one.author)
        return any("mute" in self.of(one.person, subject) for subject in around if subject)
