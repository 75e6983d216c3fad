"""Stream: profiles of people, ``contribution.v1`` to ``profile.v1``.

The state is the input: a partition of ``contribution.v1`` is compacted by person and activity, so it is read from its
beginning before its first record is handled, and needs no table and no changelog beside it. What comes twice replaces
itself.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

from services.common import topics
from services.common.bus import Bus, Outgoing, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.enrich.scan import scan
from services.enrich.scoring.profile import Profile
from services.enrich.scoring.streams import UNHURRIED
from services.enrich.scoring.views import Left


class Profiles:
    """Profiles by partition and person. A profile is published once per batch that touches it."""

    within = UNHURRIED

    def __init__(self, bus: Bus, left: Left) -> None:
        self._left = left
        self._gone: set[str] = set()
        self.turn = asyncio.Lock()
        self._bus = bus
        self._topic, self._input = topics.PROFILE.name(bus.prefix), topics.CONTRIBUTION.name(bus.prefix)
        self._contribution, self._profile = Codec("contribution"), Codec("profile")
        self._life = 0
        self._partitions: dict[int, dict[str, Profile]] = {}
        self._touched: dict[str, Profile] = {}

    def forget(self) -> None:
        """Drop all state: partitions may have gone to others, who go on with them."""
        self._partitions, self._touched = {}, {}
        self._life += 1

    async def ready(self, records: Sequence[Received]) -> None:
        """Load the partitions that came anew, up to these records."""
        for record in records:
            number = record.partition.number
            if number not in self._partitions:
                life = self._life
                people: dict[str, Profile] = {}
                reader = await self._bus.reader()
                try:
                    async for earlier in scan(reader, record.partition, record.offset):
                        with suppress(Reject):  # it was put aside when it came for the first time
                            self._take(people, earlier)
                finally:
                    await reader.stop()
                if life == self._life:
                    self._partitions[number] = people

    def work(self, record: Received) -> list[Outgoing]:
        """Take a contribution in; its person's profile goes out at the end of the batch."""
        people = self._partitions.get(record.partition.number)
        profile = self._take(people, record) if people is not None else None  # None: gone to another meanwhile
        if profile is not None:
            self._touched[profile.person] = profile
        return []

    def _take(self, people: dict[str, Profile], record: Received) -> Profile | None:
        """Return the profile that a record changes; raises Reject where it cannot be read."""
        person, _, activity = record.key.partition("|")
        if record.value is None:
            if person in people:
                people[person].contributions.pop(activity, None)
            return None
        contribution = self._contribution.decode(record.value)
        profile = people.setdefault(contribution["person"], Profile(contribution["person"]))
        profile.add(contribution)
        return profile

    @property
    def leaving(self) -> bool:
        """Whether somebody is to be forgotten."""
        return bool(self._gone)

    def leaves(self, person: str) -> None:
        """Let the end of the next batch forget somebody who wants no part in it."""
        self._gone.add(person)

    def end(self) -> list[Outgoing]:
        """Return the profiles that the batch has touched, and what erases those of people who have left."""
        erased = self._erased() + self._surplus()
        touched, self._touched = [one for one in self._touched.values() if one.person not in self._left], {}
        return erased + [
            Outgoing(topic=self._topic, key=one.person, value=self._profile.encode(one.record())) for one in touched
        ]

    def _erased(self) -> list[Outgoing]:
        gone, self._gone = {person for person in self._gone if person in self._left}, set()
        found = []
        for people in list(self._partitions.values()):
            for profile in [people.pop(person) for person in sorted(gone & people.keys())]:
                found.append(_erasing(self._topic, profile.person, profile.person))
                found += self._taken_back(profile.person, {*profile.contributions, *profile.surplus})
        return found

    def _surplus(self) -> list[Outgoing]:
        """Return what erases contributions that count no more, of the people whom the batch has touched."""
        found = []
        for profile in self._touched.values():
            found += self._taken_back(profile.person, profile.surplus)
            profile.surplus = set()
        return found

    def _taken_back(self, person: str, activities: Collection[str]) -> list[Outgoing]:
        return [_erasing(self._input, f"{person}|{activity}", person) for activity in sorted(activities)]


def _erasing(topic: str, key: str, place: str) -> Outgoing:
    return Outgoing(topic=topic, key=key, value=None, place=place)
