"""What has changed beside the stream and must be looked at again: told from the event loop, taken in the thread."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Changes:
    """People who did something; who left or came back; containers and objects whose access changed; partitions."""

    people: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    partitions: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.people or self.left or self.places or self.partitions)


class Noticed:
    """Collects changes until somebody takes them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changes = Changes()

    def person(self, person: str) -> None:
        """Somebody has seen, muted or said something."""
        with self._lock:
            self._changes.people.add(person)

    def left(self, person: str) -> None:
        """Somebody has opted out, or has come back."""
        with self._lock:
            self._changes.left.add(person)

    def place(self, id_: str) -> None:
        """Who may open a container or an object has changed."""
        with self._lock:
            self._changes.places.add(id_)

    def partition(self, number: int) -> None:
        """A partition has come to this worker."""
        with self._lock:
            self._changes.partitions.add(number)

    def __bool__(self) -> bool:
        return bool(self._changes)

    def take(self) -> Changes:
        """Return all of it, once."""
        with self._lock:
            changes, self._changes = self._changes, Changes()
        return changes
