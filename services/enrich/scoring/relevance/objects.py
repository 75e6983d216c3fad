"""Past objects: what they are about, who took part and who was summoned there. Pure, bounded: the oldest make room."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.common.embedding import DIMENSIONS
from services.enrich.scoring.relevance.index import Index
from services.enrich.scoring.relevance.words import Text

_MOST_MENTIONED = 50


@dataclass(slots=True)
class Past:
    """A past object. ``people`` has by slot how often each took part; times in micros."""

    key: str
    container: str
    access: str
    """The container whose access record decides."""
    place: str
    """How its container is called."""
    activity_object: str
    """The object of the activity by which it became known, to be opened and checked for access."""
    title: str
    time: int
    last: int
    kind: int
    question: bool = False
    """It begins with a question."""
    text: int = -1
    starter: int = 0
    people: dict[int, int] = field(default_factory=dict)
    mentioned: dict[int, None] = field(default_factory=dict)
    vector: NDArray[np.float32] = field(default_factory=lambda: np.zeros(DIMENSIONS, dtype=np.float32))
    """Sum of the vectors of what was said."""
    parts: list[str] = field(default_factory=list)
    """Objects of the activities in it."""
    withdrawn: bool = False

    def mention(self, slot: int) -> bool:
        """Remember a mention; return whether it is the first of this person here."""
        if slot in self.mentioned or len(self.mentioned) >= _MOST_MENTIONED:
            return False
        self.mentioned[slot] = None
        return True


class Objects:
    """Past objects by key, and their texts by likeness."""

    def __init__(self, limit: int) -> None:
        self.index = Index(limit)
        self._objects: dict[str, Past] = {}
        self._by_text: dict[int, Past] = {}
        self._parts: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: str) -> Past | None:
        """Return a past object."""
        return self._objects.get(key)

    def find_text(self, slot: int) -> Past | None:
        """Return the object whose text has this slot, if it is still known."""
        return self._by_text.get(slot)

    def of_text(self, slot: int) -> Past:
        """Return the object whose text has this slot."""
        return self._by_text[slot]

    def begin(self, past: Past) -> None:
        """Take in an object; where there are too many, the oldest is forgotten."""
        past.text, gone = self.index.new()
        if gone >= 0:
            self._drop(self._by_text.pop(gone).key)
        self._objects[past.key] = past
        self._by_text[past.text] = past

    def take(self, past: Past, activity_object: str, text: Text) -> None:
        """Add an activity's object and what it says."""
        past.parts.append(activity_object)
        self._parts.setdefault(activity_object, set()).add(past.key)
        if not past.withdrawn:
            self.index.extend(past.text, text)

    def withdraw(self, object_id: str) -> None:
        """Let a text be found no more.

        Where it is only a part, such as one message of a thread, what the whole said so far goes with it, and what will
        be said counts again. Where the whole began with it, its title goes too, for good.
        """
        for key in {object_id, *self._parts.get(object_id, ())}:
            past = self._objects.get(key)
            if past is not None:
                self.index.clear(past.text)
                past.vector[:] = 0.0
                if object_id in (past.key, past.activity_object):
                    past.withdrawn, past.title = True, ""

    def _drop(self, key: str) -> None:
        for part in self._objects.pop(key).parts:
            keys = self._parts.get(part, set())
            keys.discard(key)
            if not keys:
                self._parts.pop(part, None)

    def forget(self, slot: int) -> None:
        """Remove a person from all objects."""
        for past in self._objects.values():
            past.people.pop(slot, None)
            past.mentioned.pop(slot, None)
            if past.starter == slot:
                past.starter = 0
