"""Scoring on real Kafka: results exist, repetitions change nothing, and nothing is acknowledged that was not stored."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.common import envelope, topics
from services.common.bus import Outgoing
from services.common.codec import Codec
from services.common.model import Activity, Container, Enriched, Visibility
from services.common.records import enriched_out
from services.common.topics import Topic
from services.enrich.pipeline import Knowledge, enrich
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import ROOM, START, Place, activity

pytestmark = pytest.mark.integration
OTHER = Container(id="chat:other", type="Channel", name="other")
_enriched = Codec("enriched")


def said(number: int, text: str, *, by: str, where: Container = ROOM) -> Activity:
    one = activity(number, text, by=by)
    audience = replace(one.audience, container=where.id)
    return replace(one, context=(where,), audience=audience, published=START + timedelta(hours=number))


def history() -> list[Activity]:
    """Ann and Bob know about parsers, in the room; then Carl asks about one, in the other channel."""
    words = "The incremental parser drops trailing tokens when the lexer buffer wraps around, round"
    before = [said(n, f"{words} {n}", by="ann" if n % 2 else "bob") for n in range(8)]
    noise = [said(10 + n, f"Lunch menu number {n} with soup and salad", by="dora", where=OTHER) for n in range(6)]
    return [*before, *noise, said(30, f"Why does the {words} thirty", by="carl", where=OTHER)]


async def put_enriched(place: Place, activities: list[Activity]) -> None:
    records = await asyncio.to_thread(enrich, activities, Knowledge())
    await place.publish(as_record(place, one) for one in records)


def as_record(place: Place, one: Enriched, *, redacted: bool = False) -> Outgoing:
    return Outgoing(
        topic=topics.ENRICHED.name(place.prefix),
        key=one.activity.id,
        value=_enriched.encode(enriched_out(one)),
        headers=(*envelope.headers(one.activity), *(((envelope.REDACTED, b"1"),) if redacted else ())),
        place=one.activity.object.id,
    )


async def latest(place: Place, topic: Topic) -> dict[str, dict[str, Any]]:
    codec = Codec(topic.schema)
    records = {one.key: one.value for one in await place.records(topic)}
    return {key: codec.decode(value) for key, value in records.items() if value is not None}


async def ends(place: Place, topic: Topic) -> int:
    reader = await place.bus.reader()
    bounds = await reader.bounds(topic.name(place.prefix))
    await reader.stop()
    return sum(end for _, end in bounds.values())


async def drained(place: Place, topic: Topic = topics.ENRICHED) -> bool:
    """Whether the scorer has committed all of a topic."""
    committed = await place.committed("score", topic)
    return sum(committed.values()) == await ends(place, topic)


async def scored(place: Place) -> None:
    await eventually(lambda: drained(place), what="all of enriched.v1 is scored")
    await eventually(lambda: drained(place, topics.CONTRIBUTION), what="all contributions are in profiles")
    await eventually(lambda: drained(place, topics.CANDIDATE), what="everybody is given their part")


async def test_experts_of_similar_things_are_told_of_a_question_elsewhere_and_why(place: Place) -> None:
    await place.open(OTHER.id)
    await put_enriched(place, history())
    place.start("score")
    await scored(place)
    found = await latest(place, topics.RECOMMENDATION)
    assert {(one["person"], one["object"]) for one in found.values()} == {
        ("chat:ann", "chat:30"),
        ("chat:bob", "chat:30"),
    }
    one = found["chat:ann|chat:30"]
    assert one["score"] == pytest.approx(sum(one["terms"].values()))
    assert any(word in one["reason"] for word in ("parser", "lexer", "tokens", "buffer"))
    assert "bob" not in one["reason"]
    assert set(one["evidence"]) <= {f"chat:{number}" for number in range(8)}
    profiles = await latest(place, topics.PROFILE)
    assert (profiles["chat:ann"]["actions"], profiles["chat:ann"]["containers"]) == (4, {ROOM.id: 4.0})
    assert await place.end("score") == 0


async def test_repetitions_change_no_profile_and_no_recommendation(place: Place) -> None:
    await place.open(OTHER.id)
    await put_enriched(place, history())
    place.start("score")
    await scored(place)
    before = await latest(place, topics.PROFILE), await latest(place, topics.RECOMMENDATION)
    assert await place.end("score") == 0
    await put_enriched(place, history())
    await put_enriched(place, history())
    place.start("score")
    await scored(place)
    profiles, recommendations = await latest(place, topics.PROFILE), await latest(place, topics.RECOMMENDATION)
    assert profiles == before[0]
    assert recommendations == before[1]


async def test_what_is_withdrawn_takes_its_recommendations_back(place: Place) -> None:
    await place.open(OTHER.id)
    activities = history()
    await put_enriched(place, activities)
    place.start("score")
    await scored(place)
    [last] = await asyncio.to_thread(enrich, [activities[-1]], Knowledge())
    await place.publish([as_record(place, replace(last, text="", generation=1_000_000), redacted=True)])

    async def taken_back() -> bool:
        found = await latest(place, topics.RECOMMENDATION)
        return bool(found) and all(one["withdrawn"] and not one["reason"] for one in found.values())

    await eventually(taken_back, what="both recommendations are taken back, without their words")


async def test_who_leaves_and_what_is_closed_is_taken_back_while_it_runs(place: Place) -> None:
    await place.open(OTHER.id)
    await put_enriched(place, history())
    place.start("score")
    await scored(place)
    person = {"id": "chat:ann", "optOut": True, "recorded": START}
    value = Codec("person").encode(person)
    await place.publish([Outgoing(topic=topics.PERSON.name(place.prefix), key="chat:ann", value=value)])

    async def whys() -> dict[str, str]:
        return {key: one["why"] for key, one in (await latest(place, topics.RECOMMENDATION)).items()}

    async def only_bob() -> bool:
        profile = next(one for one in reversed(await place.records(topics.PROFILE)) if one.key == "chat:ann")
        found = await whys()
        return profile.value is None and found == {"chat:ann|chat:30": "opted-out", "chat:bob|chat:30": ""}

    await eventually(only_bob, what="Ann is in no profile and no recommendation any more")
    await place.open(OTHER.id, Visibility.RESTRICTED)

    async def nobody() -> bool:
        return (await whys())["chat:bob|chat:30"] == "closed"

    await eventually(nobody, what="what is closed is taken back", within=60)


async def test_nobody_is_told_of_what_they_may_not_open(place: Place) -> None:
    await put_enriched(place, history())  # the other channel has no access record
    place.start("score")
    await scored(place)
    assert await latest(place, topics.RECOMMENDATION) == {}


async def test_a_topic_that_refuses_everything_stops_scoring_with_its_offset_unmoved(place: Place) -> None:
    await place.open(OTHER.id)
    await refuse_all(place, topics.CONTRIBUTION)
    await put_enriched(place, history())
    place.start("score")
    process = place.processes["score"]
    await eventually(lambda: process.poll() is not None, what="scoring stops")
    assert process.returncode == 1
    assert "max.message.bytes" in place.log("score")
    assert sum(max(0, one) for one in (await place.committed("score", topics.ENRICHED)).values()) == 0
    assert await ends(place, topics.CONTRIBUTION) == 0


async def test_poison_is_put_aside_and_the_rest_is_scored(place: Place) -> None:
    await place.open(OTHER.id)
    bad = Outgoing(topic=topics.ENRICHED.name(place.prefix), key="bad", value=b"\x00nonsense", place="bad")
    await place.publish([bad])
    await put_enriched(place, history())
    place.start("score")
    await scored(place)
    assert len(await latest(place, topics.RECOMMENDATION)) == 2
    letters = await place.records(topics.DEADLETTER)
    codec = Codec("deadletter")
    assert {codec.decode(one.value or b"")["service"] for one in letters} == {"score"}
    assert {codec.decode(one.value or b"")["value"] for one in letters} == {b"\x00nonsense"}
    assert await place.end("score") == 0


async def refuse_all(place: Place, topic: Topic) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await client.start()
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name(place.prefix), {"max.message.bytes": "60"})
    await client.alter_configs([resource])
    await client.close()
    await asyncio.sleep(0.5)
