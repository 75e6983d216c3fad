"""What people said they want to hear of: other people, places, tags. Pure."""

from collections import defaultdict
from collections.abc import Iterable

PERSON, CONTAINER, TAG = "person", "container", "tag"
KINDS = (PERSON, CONTAINER, TAG)


class Follows:
    """Who follows what; the same however often it is said."""

    def __init__(self) -> None:
        self._followers: dict[tuple[str, str], set[str]] = defaultdict(set)

    def put(self, person: str, kind: str, ref: str, on: bool) -> None:
        """Take note. Raises ValueError when there is no such kind."""
        if kind not in KINDS:
            raise ValueError(f"one follows a {', a '.join(KINDS)}, not a {kind}")
        ref = ref.lower() if kind == TAG else ref
        if on:
            self._followers[kind, ref].add(person)
        else:
            self._followers[kind, ref].discard(person)

    def of(self, kind: str, refs: Iterable[str]) -> set[str]:
        """Return who follows any of these."""
        found: set[str] = set()
        for ref in refs:
            found |= self._followers.get((kind, ref), set())
        return found

    def forget(self, person: str) -> None:
        """Remove a person, as a follower and as somebody followed."""
        self._followers.pop((PERSON, person), None)
        for followers in self._followers.values():
            followers.discard(person)
