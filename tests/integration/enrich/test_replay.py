"""Kills, repetitions, other batches and a rebalance change neither profiles nor recommendations."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.common import envelope, topics
from services.common.activitystreams import parse_line
from services.common.bus import Outgoing
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Visibility
from services.common.records import enriched_out
from services.common.topics import Topic
from services.enrich.pipeline import Knowledge, enrich
from services.standalone.demo import read
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import START, Place

pytestmark = [pytest.mark.integration, pytest.mark.may_block("enriches real activities before it begins")]
_MANY = 900
_BATCH = 60
_enriched = Codec("enriched")


def real() -> tuple[list[tuple[str, bytes, Any]], set[str]]:
    """Return real activities, enriched, as (place, value, headers), oldest first, and their containers."""
    found = enrich([parse_line(line) for line in read()[:_MANY]], Knowledge())
    records = [
        (one.activity.object.id, _enriched.encode(enriched_out(one)), envelope.headers(one.activity)) for one in found
    ]
    return records, {one.activity.audience.container for one in found}


async def opened(place: Place, containers: set[str]) -> None:
    for one in containers:
        await place.access(Access(id=one, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC, recorded=START))


async def put(place: Place, records: Sequence[tuple[str, bytes, Any]]) -> None:
    topic = topics.ENRICHED.name(place.prefix)
    await place.publish(
        Outgoing(topic=topic, key=dict(headers)["ce_id"].decode(), value=value, headers=headers, place=where)
        for where, value, headers in records
    )


async def newest(place: Place, topic: Topic) -> dict[str, dict[str, Any]]:
    """Return the newest record of each key, without when it was computed; nothing that was withdrawn."""
    codec = Codec(topic.schema)
    records = {one.key: codec.decode(one.value or b"") for one in await place.records(topic)}
    return {
        key: {name: value for name, value in one.items() if name != "recorded"}
        for key, one in records.items()
        if not one.get("withdrawn")
    }


async def done(place: Place) -> None:
    """Wait until every stream of the scorer has committed all of its topic."""
    for topic in (topics.ENRICHED, topics.CONTRIBUTION, topics.CANDIDATE):

        async def drained(topic: Topic = topic) -> bool:
            committed = await place.committed("score", topic)
            reader = await place.bus.reader()
            ends = await reader.bounds(topic.name(place.prefix))
            await reader.stop()
            return all(committed.get(p, 0) >= end for p, (_, end) in ends.items() if end)

        await eventually(drained, what=f"{topic.suffix} is drained", within=120)


async def clean(place: Place, records: Sequence[tuple[str, bytes, Any]]) -> None:
    """Score everything in one go."""
    await put(place, records)
    place.start("score")
    await done(place)
    assert await place.end("score") == 0


async def messy(place: Place, records: Sequence[tuple[str, bytes, Any]]) -> None:
    """Score in small batches, each repeated in part, by two workers of which each is killed once."""
    third = len(records) // 3
    place.start("score", "one")
    await repeated(place, records[:third])
    await some_scored(place)
    place.start("score", "two")
    await repeated(place, records[third : 2 * third])
    await place.end("one", signal.SIGKILL)
    await repeated(place, records[2 * third :])
    place.start("score", "one")
    await some_scored(place, more=third)
    await place.end("two", signal.SIGKILL)
    place.start("score", "two")
    await done(place)
    for name in ("one", "two"):
        assert await place.end(name) == 0


async def repeated(place: Place, records: Sequence[tuple[str, bytes, Any]]) -> None:
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        await put(place, batch)
        await put(place, batch[:20])


async def some_scored(place: Place, more: int = 1) -> None:
    async def begun() -> bool:
        return sum(max(0, one) for one in (await place.committed("score", topics.ENRICHED)).values()) >= more

    await eventually(begun, what=f"{more} are scored", within=60)


@pytest.mark.parametrize("partitions", [1, 3])
async def test_profiles_and_recommendations_are_those_of_a_run_in_which_nothing_happened(
    kafka: str, tmp_path: Path, partitions: int
) -> None:
    records, containers = await asyncio.to_thread(real)
    places = [Place(kafka, tmp_path / name, partitions=partitions) for name in ("clean", "messy")]
    try:
        for place, run in zip(places, (clean, messy), strict=True):
            place.folder.mkdir()
            await place.apply()
            await opened(place, containers)
            await run(place, records)
        wanted, found = [await newest(place, topics.PROFILE) for place in places]
        assert wanted
        assert found == wanted
        wanted, found = [await newest(place, topics.RECOMMENDATION) for place in places]
        assert len(wanted) > 20
        if partitions == 1:
            assert found == wanted
        assert len(wanted.keys() & found.keys()) >= 0.99 * max(len(wanted), len(found))
        assert await given_twice(places[1]) == []
    finally:
        for place in places:
            await place.clear()


async def given_twice(place: Place) -> list[str]:
    """Return what was given again while it stood already, with nothing new in it."""
    codec = Codec("recommendation")
    standing: dict[str, dict[str, Any]] = {}
    twice = []
    for record in await place.records(topics.RECOMMENDATION):
        one = {name: value for name, value in codec.decode(record.value or b"").items() if name != "recorded"}
        if standing.get(record.key) == one:
            twice.append(record.key)
        standing[record.key] = one
    return twice
