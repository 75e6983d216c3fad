"""One producer per input partition: the new owner fences the old one, and what is refused or aborted is not seen."""

import pytest
from aiokafka import TopicPartition

from services.common import topics
from services.common.bus import Outgoing
from services.enrich.transaction import Fenced, Refused, Transactions
from tests.integration.enrich.conftest import Place

pytestmark = pytest.mark.integration


def transactions(place: Place) -> Transactions:
    source = TopicPartition(topics.ACTIVITY.name(place.prefix), 0)
    return Transactions(place.bus.settings, f"{place.prefix}enrich", source)


def record(place: Place, key: str, size: int = 10) -> Outgoing:
    return Outgoing(topic=topics.ENRICHED.name(place.prefix), key=key, value=b"v" * size, partition=0)


async def keys(place: Place) -> list[str]:
    return [one.key for one in await place.records(topics.ENRICHED)]


async def test_a_zombie_is_fenced_and_leaves_nothing(place: Place) -> None:
    zombie, owner = transactions(place), transactions(place)
    await zombie.start()
    assert await zombie.publish([record(place, "a"), record(place, "b")], 2) == {place.prefix + "enriched.v1": 2}
    await owner.start()
    with pytest.raises(Fenced, match=f"{place.prefix}enrich-0"):
        await zombie.publish([record(place, "doubled")], 3)
    await owner.publish([record(place, "c")], 3)
    await zombie.stop()
    await owner.stop()
    assert await keys(place) == ["a", "b", "c"]
    assert list((await place.committed("enrich", topics.ACTIVITY)).values()) == [3]


async def test_what_is_refused_is_named_and_nothing_of_its_transaction_is_seen(place: Place) -> None:
    one = transactions(place)
    await one.start()
    large = record(place, "large", 5 * 1_048_576)
    with pytest.raises(Refused) as refused:
        await one.publish([record(place, "small"), large], 1, alone=True)
    assert refused.value.record is large
    await one.restart()
    await one.publish([record(place, "after")], 2)
    await one.stop()
    assert await keys(place) == ["after"]


async def test_an_empty_batch_moves_the_offset_alone(place: Place) -> None:
    one = transactions(place)
    await one.start()
    assert await one.publish([], 7) == {}
    await one.stop()
    assert list((await place.committed("enrich", topics.ACTIVITY)).values()) == [7]
