"""The stream of profiles over a log in memory: what the log holds of a person in the end."""

from services.common import topics
from services.common.bus import Outgoing, Partition, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.enrich.scoring.profiles import Profiles
from services.enrich.scoring.views import Left
from tests.unit.enrich.scoring.test_profile import contribution

BUS = MemoryBus(prefix="watercooler.", partitions=1)
SOME = 1_200
"""More than are kept of one person."""


def records() -> list[Received]:
    codec, partition = Codec("contribution"), Partition(topics.CONTRIBUTION.name(BUS.prefix), 0)
    return [
        Received(
            partition=partition,
            offset=number,
            key=f"ann|a{number}",
            value=codec.encode(contribution(number)),
            headers={},
            timestamp=0,
        )
        for number in range(SOME)
    ]


async def held(profiles: Profiles, taken: list[Received]) -> set[str]:
    """Let ``taken`` be worked on; return the keys that are not erased from the log then."""
    await profiles.ready(taken[:1])
    for record in taken:
        profiles.work(record)
    return {record.key for record in taken} - erased(profiles.end())


def erased(outgoing: list[Outgoing]) -> set[str]:
    return {one.key for one in outgoing if one.value is None}


async def test_the_log_keeps_no_more_contributions_than_the_profile() -> None:
    profiles = Profiles(BUS, Left())
    assert len(await held(profiles, records())) <= 1_000
    assert erased(profiles.end()) == set()


async def test_who_leaves_is_in_no_contribution_any_more() -> None:
    left = Left()
    profiles = Profiles(BUS, left)
    left.listen(profiles.leaves)
    kept = await held(profiles, records())
    left.say("ann", "opted-out", left=True)
    assert kept <= erased(profiles.end())
