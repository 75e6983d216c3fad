"""People whom the asker should meet, from ``meeting.v1``, with the common ground that both may open now.

Nothing is shown that rests on what either of the two may not open; who has declined is not told of, to neither of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.common import topics
from services.common.access import EVERYONE, AccessState
from services.common.bus import Bus, Received
from services.common.search import Document
from services.common.view import DecodedView
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.items import activity_of, title_of
from services.gateway.people import Directory
from services.gateway.reactions import HIDING, Reactions

MOST = 9
"""One or two interesting strangers among nine are enough (Guy et al., CSCW 2011)."""
_OF_A_PERSON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting as it is held. The fields that feedback is logged with are named as a recommendation's."""

    people: tuple[str, str]
    score: float
    terms: Mapping[str, float]
    model: str
    ground: Sequence[Mapping[str, Any]]
    introducers: Sequence[Mapping[str, Any]]
    container: str = ""


class Meetings(DecodedView):
    """Meetings by person, without those that are held out or taken back."""

    absent = True

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.MEETING)
        self._by_person: dict[str, dict[str, Meeting]] = {}
        self._pairs: dict[str, tuple[str, str]] = {}

    def take(self, received: Received, record: Mapping[str, Any] | None) -> None:
        """Take a meeting, or that there is none."""
        key = received.key
        for one, other in _both(self._pairs.pop(key, None)):
            del self._by_person[one][other]
            if not self._by_person[one]:
                del self._by_person[one]
        if record is None or record["withdrawn"] or record["heldOut"]:
            return
        people: tuple[str, str] = tuple(record["people"])
        kept = {name: record[name] for name in ("score", "terms", "model", "ground", "introducers")}
        self._pairs[key] = people
        for one, other in _both(people):
            self._by_person.setdefault(one, {})[other] = Meeting(people=people, **kept)

    def of(self, person: str) -> list[tuple[str, Meeting]]:
        """Return whom a person should meet, the best first."""
        mine = self._by_person.get(person, {})
        return sorted(mine.items(), key=lambda pair: (-pair[1].score, pair[0]))[:_OF_A_PERSON]

    def get(self, person: str, other: str) -> Meeting | None:
        """Return what suggests one person to another."""
        return self._by_person.get(person, {}).get(other)


def _both(people: tuple[str, str] | None) -> tuple[tuple[str, str], ...]:
    return (people, people[::-1]) if people else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Common ground: documents of objects, the asker's first, or one where both were; and the words they share."""

    documents: Sequence[Document]
    words: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody to meet, with common ground and the ids of who could introduce them."""

    person: str
    common: Sequence[Common]
    introducers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMeet:
    """Lists for people."""

    desk: Desk
    access: AccessState
    held: Meetings
    reactions: Reactions
    directory: Directory

    async def strangers(self, asker: Asker, size: int = MOST) -> list[Stranger]:
        """Return whom the asker should meet, the best first."""
        found: list[Stranger] = []
        wanted = [(other, m) for other, m in self.held.of(asker.person) if not self._declined(asker.person, other)]
        for start in range(0, len(wanted), size):
            batch = wanted[start : start + size]
            ids = {p["object"] for _, m in batch for ground in m.ground for p in ground["places"]}
            documents = await self.desk.get(asker, "objects", sorted(ids))
            found += [one for other, m in batch if (one := self._stranger(asker, other, m, documents))]
            if len(found) >= size:
                break
        return found[:size]

    def _declined(self, person: str, other: str) -> bool:
        return bool((self.reactions.of(person, other) | self.reactions.of(other, person)) & HIDING)

    def _stranger(
        self, asker: Asker, other: str, meeting: Meeting, documents: Mapping[str, Document]
    ) -> Stranger | None:
        turned = -1 if meeting.people[0] != asker.person else 1
        both = (asker.principals, self._principals(other))
        common = [
            Common(documents=[documents[p["object"]] for p in ground["places"]][::turned], words=ground["words"])
            for ground in meeting.ground
            if self._open(both, ground["places"]) and all(_there(documents, p["object"]) for p in ground["places"])
        ]
        introducers = [one["person"] for one in meeting.introducers if self._open(both, one["places"])]
        return Stranger(person=other, common=common, introducers=introducers) if common else None

    def _principals(self, person: str) -> tuple[str, ...]:
        return (EVERYONE, person, *self.directory.accounts_of(person))

    def _open(self, both: Sequence[Sequence[str]], places: Sequence[Mapping[str, str]]) -> bool:
        return all(self.access.may_open(who, p["container"], p["object"]) for who in both for p in places)


def _there(documents: Mapping[str, Document], object_id: str) -> bool:
    document = documents.get(object_id)
    return document is not None and not document.get("deleted")


def items_of(common: Common) -> list[dict[str, Any]]:
    """Return common ground for showing: each thing with its title, and whose it is."""
    whose = ("both",) if len(common.documents) == 1 else ("you", "they")
    activities = [activity_of(document) for document in common.documents]
    return [
        {"object": a["object"]["id"], "title": title_of(a), "whose": who}
        for a, who in zip(activities, whose, strict=True)
    ]
