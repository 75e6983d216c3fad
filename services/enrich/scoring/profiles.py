"""Stream: profiles of people, ``contribution.v1`` to ``profile.v1``.

The state is the input: a partition of ``contribution.v1`` is compacted by person and activity, so it is read from its
beginning before its first record is handled, and needs no table and no changelog beside it. What comes twice replaces
itself.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.common import topics
from services.common.bus import Bus, Outgoing, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.enrich.scan import scan
from services.enrich.scoring.profile import Profile


class Profiles:
    """Profiles by partition and person. A profile is published once per batch that touches it."""

    def __init__(self, bus: Bus) -> None:
        self.turn = asyncio.Lock()
        self._bus = bus
        self._topic = topics.PROFILE.name(bus.prefix)
        self._contribution, self._profile = Codec("contribution"), Codec("profile")
        self._partitions: dict[int, dict[str, Profile]] = {}
        self._touched: dict[str, Profile] = {}

    def forget(self) -> None:
        """Drop all state: partitions may have gone to others, who go on with them."""
        self._partitions.clear()
        self._touched.clear()

    async def ready(self, records: Sequence[Received]) -> None:
        """Load the partitions that came anew, up to these records."""
        for record in records:
            number = record.partition.number
            if number not in self._partitions:
                people: dict[str, Profile] = {}
                reader = await self._bus.reader()
                try:
                    async for earlier in scan(reader, record.partition, record.offset):
                        self._add(people, self._decoded(earlier))
                finally:
                    await reader.stop()
                self._partitions[number] = people

    def work(self, record: Received) -> list[Outgoing]:
        """Take a contribution in; its person's profile goes out at the end of the batch."""
        if record.value is None:
            return []
        contribution = self._contribution.decode(record.value)
        profile = self._add(self._partitions[record.partition.number], contribution)
        if profile is not None:
            self._touched[profile.person] = profile
        return []

    def _decoded(self, record: Received) -> dict[str, Any] | None:
        if record.value is None:
            return None
        try:
            return self._contribution.decode(record.value)
        except Reject:
            return None  # it was put aside when it came for the first time

    def _add(self, people: dict[str, Profile], contribution: dict[str, Any] | None) -> Profile | None:
        if contribution is None:
            return None
        person = contribution["person"]
        profile = people.setdefault(person, Profile(person))
        profile.add(contribution)
        return profile

    def end(self) -> list[Outgoing]:
        """Return the profiles that the batch has touched."""
        touched, self._touched = list(self._touched.values()), {}
        return [
            Outgoing(topic=self._topic, key=one.person, value=self._profile.encode(one.record())) for one in touched
        ]

    def stored(self, records: Sequence[Outgoing]) -> None:
        """Nothing more is kept."""
