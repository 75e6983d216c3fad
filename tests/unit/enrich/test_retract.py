"""A large place that is closed: what other teams were given of it is followed up whole, in bounded portions."""

from collections.abc import Iterable

import pytest

from services.common import topics
from services.common.access import AccessView
from services.common.bus import Outgoing, Publisher
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.model import ActivityType
from services.common.records import activity_in, activity_out
from services.enrich import redact
from services.enrich.retract import Retractor
from services.enrich.work import container_header
from tests.unit.gateway.world import HALL, said

MANY = 25


class _Counting:
    """A publisher that notes how much it is given at once."""

    def __init__(self, publisher: Publisher) -> None:
        self.given: list[int] = []
        self._publisher = publisher

    async def publish(self, records: Iterable[Outgoing]) -> None:
        some = list(records)
        self.given.append(len(some))
        await self._publisher.publish(some)

    async def stop(self) -> None:
        await self._publisher.stop()


async def test_a_large_place_that_is_closed_is_followed_up_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_BATCH", 10)
    bus, codec = MemoryBus("t.", partitions=1), Codec("activity")
    access = AccessView(bus)
    await access.load()  # nobody has said that the place is open
    topic, publisher = topics.PUBLIC.name("t."), _Counting(await bus.publisher())
    given = [activity_out(said(n).activity) for n in range(MANY)]
    shared = [
        Outgoing(topic=topic, key=one["object"]["id"], value=codec.encode(one), headers=container_header(HALL))
        for one in given
    ]
    await publisher.publish([*shared, *shared[:3]])
    await Retractor(bus, publisher, access, again_after=0.0).handle([HALL])
    assert publisher.given[1:] == [10, 10, 5]
    reader = await bus.reader()
    await reader.start_at(dict.fromkeys(await reader.bounds(topic), MANY + 3))
    told = [activity_in(codec.decode(one.value or b"")) for one in await reader.poll(limit=100, wait=0)]
    assert {one.object.id for one in told if one.type is ActivityType.DELETE} == {one.key for one in shared}
