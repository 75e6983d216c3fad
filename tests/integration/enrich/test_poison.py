"""What cannot be processed, and topics that refuse: put aside, or stopped with nothing lost."""

import asyncio
from random import Random
from string import ascii_letters
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.common import topics
from services.common.bus import Outgoing
from services.common.codec import Codec
from services.common.topics import Topic
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import Place, activity

pytestmark = pytest.mark.integration


def poison(place: Place, number: int) -> Outgoing:
    return Outgoing(topic=topics.ACTIVITY.name(place.prefix), key=f"bad{number}", value=b"\x00poison", headers=())


async def letters(place: Place) -> list[dict[str, Any]]:
    codec = Codec("deadletter")
    return [codec.decode(one.value or b"") for one in await place.records(topics.DEADLETTER)]


async def limit(place: Place, topic: Topic, size: int) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await client.start()
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name(place.prefix), {"max.message.bytes": str(size)})
    await client.alter_configs([resource])
    await client.close()
    await asyncio.sleep(0.5)


async def stopped(place: Place, service: str = "enrich") -> int:
    process = place.processes[service]
    await eventually(lambda: process.poll() is not None, what=f"{service} stops")
    return process.returncode or 0


async def test_one_in_a_thousand_is_put_aside_with_its_origin_and_the_rest_flows(place: Place) -> None:
    records = [place.outgoing(activity(number)) for number in range(3000)]
    for number in range(3):
        records.insert(number * 1000 + 500, poison(place, number))
    await place.publish(records)
    place.start("enrich")

    async def all_there() -> bool:
        return len(await place.records(topics.ENRICHED)) == 3000

    await eventually(all_there, what="all but the poison")
    found = await letters(place)
    assert {one["key"] for one in found} == {b"bad0", b"bad1", b"bad2"}
    source = {(one.key, one.partition.number, one.offset) for one in await place.records(topics.ACTIVITY)}
    for one in found:
        assert (one["service"], one["error"], one["value"]) == ("enrich", "Reject", b"\x00poison")
        assert (one["key"].decode(), one["partition"], one["offset"]) in source
    assert await place.end("enrich") == 0


async def test_a_flood_of_poison_stops_the_service_and_says_why(place: Place) -> None:
    await place.publish(poison(place, number) for number in range(300))
    place.start("enrich", WATERCOOLER_DEADLETTERS_IN_A_ROW="20")
    assert await stopped(place) == 1
    assert "20 records in a row could not be processed" in place.log("enrich")
    assert 20 <= len(await letters(place)) <= 40


async def test_a_record_too_large_for_the_topic_is_put_aside_by_reference(place: Place) -> None:
    await limit(place, topics.ENRICHED, 200_000)
    noise = "".join(Random(7).choices(ascii_letters, k=400_000))  # nothing to compress
    large = activity(7, noise)
    await place.put(activity(1), activity(2), large, activity(3))
    place.start("enrich")

    async def three() -> bool:
        return len(await place.records(topics.ENRICHED)) == 3

    await eventually(three, what="the others")
    [letter] = await letters(place)
    assert (letter["key"], letter["value"]) == (large.id.encode(), None)
    assert "more than topic" in letter["reason"]
    [original] = [one for one in await place.records(topics.ACTIVITY) if one.key == large.id]
    assert (letter["partition"], letter["offset"]) == (original.partition.number, original.offset)
    assert await place.end("enrich") == 0


async def test_a_topic_that_refuses_everything_stops_the_service_with_its_offset_unmoved(place: Place) -> None:
    await limit(place, topics.ENRICHED, 100)
    await place.put(*(activity(number) for number in range(50)))
    place.start("enrich")
    assert await stopped(place) == 1
    assert "max.message.bytes" in place.log("enrich")
    assert all(offset <= 0 for offset in (await place.committed("enrich", topics.ACTIVITY)).values())
    assert await letters(place) == []
    await limit(place, topics.ENRICHED, 1_048_588)
    place.start("enrich", "again")

    async def all_there() -> bool:
        return len(await place.records(topics.ENRICHED)) == 50

    await eventually(all_there, what="nothing was skipped")
    assert len({one.key for one in await place.records(topics.ENRICHED)}) == 50
