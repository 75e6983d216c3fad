"""Batches become records in the right order, bounded, placed by object, and only news is said again."""

import asyncio
from dataclasses import replace

import pytest

from services.common.bus import Outgoing, Unpublished
from services.common.bus.placing import partition_of
from services.common.codec import Codec
from services.common.errors import Reject, Retry, Stop
from services.common.model import Access, AccessKind, Account, AccountType, Audience, Method, Visibility
from services.common.topics import ACCESS, ACCOUNT, ACTIVITY, CURSOR, DEADLETTER
from services.ingest.connector import Batch, Failure
from services.ingest.prepare import LONGEST_CONTENT
from tests.unit.ingest.fakes import ROOM, activity, gone, ground

CLOSED = Access(id=ROOM.id, kind=AccessKind.CONTAINER, visibility=Visibility.RESTRICTED, principals=("fake:ann",))


async def test_a_record_is_keyed_by_its_activity_and_placed_by_its_object() -> None:
    base = await ground()
    await base.intake.take("fake", Batch(activities=[activity(1)]))
    [record] = await base.log.records(ACTIVITY)
    assert record.key == "fake:note/1@1#chat.message"
    assert record.partition.number == partition_of("fake:note/1", 4)
    assert record.headers["ce_subject"] == b"fake:note/1"
    assert record.headers["ce_type"] == b"watercooler.chat.message"


async def test_the_same_by_another_way_has_the_same_fingerprint() -> None:
    base = await ground()
    for method in (Method.BACKFILL, Method.WEBHOOK):
        await base.intake.take("fake", Batch(activities=[activity(1, method)]))
    await base.intake.take("fake", Batch(activities=[activity(1, content="edited")]))
    first, second, edited = [one.headers["fingerprint"] for one in await base.log.records(ACTIVITY)]
    assert first == second != edited


async def test_an_unknown_container_is_opened_by_public_only() -> None:
    base = await ground()
    board = replace(activity(2), audience=Audience(visibility=Visibility.RESTRICTED, container="fake:board"))
    await base.intake.take("fake", Batch(activities=[activity(1), board]))
    found = {one["id"]: one["visibility"] for one in await base.log.values(ACCESS)}
    assert found == {ROOM.id: "PUBLIC", "fake:board": "UNKNOWN"}
    assert [one.topic for one in base.publisher.order][-2:] == ["t.activity.v1"] * 2


async def test_what_a_connector_says_of_a_container_wins_over_its_activities() -> None:
    base = await ground()
    await base.intake.take("fake", Batch(access=[CLOSED], activities=[activity(1)]))
    again = await ground(base.bus)
    await again.intake.take("fake", Batch(access=[CLOSED], activities=[activity(2)]))
    [only] = await base.log.values(ACCESS)
    assert (only["visibility"], only["source"]) == ("RESTRICTED", "fake")


async def test_a_withdrawal_is_said_before_the_deletion_and_keeps_what_was_withdrawn() -> None:
    base = await ground()
    hidden = replace(gone(1), id="hide", withdraws=("1",))
    await base.intake.take("fake", Batch(activities=[activity(1), hidden]))
    await base.intake.take("fake", Batch(activities=[gone(1)]))
    topics = [one.topic.removeprefix("t.") for one in base.publisher.order]
    assert topics.index(ACCESS.suffix) < topics.index(ACTIVITY.suffix)
    assert topics[-2:] == [ACCESS.suffix, ACTIVITY.suffix]
    said = [one for one in await base.log.values(ACCESS) if one["kind"] == "OBJECT"]
    assert [one["withdrawn"] for one in said] == [["1"], ["*", "1"]]
    assert [one["order"] for one in said] == [0, gone(1).order]
    assert base.access.withdrawn("fake:note/1", "2", gone(1).order)
    assert not base.access.withdrawn("fake:note/1", "2", gone(1).order + 1), "restored later"


async def test_a_body_that_is_too_long_is_cut_and_says_so() -> None:
    base = await ground()
    await base.intake.take("fake", Batch(activities=[activity(1, content="x" * (LONGEST_CONTENT + 1))]))
    [record] = await base.log.values(ACTIVITY)
    thing = record["object"]
    assert isinstance(thing, dict)
    assert (len(thing["content"]), thing["truncated"]) == (LONGEST_CONTENT, True)


async def test_a_record_too_large_for_the_topic_goes_aside_and_the_rest_goes_on() -> None:
    base = await ground()
    large = replace(activity(2), files=tuple("x" * 1000 + str(n) for n in range(1_100)))
    await base.intake.take("fake", Batch(activities=[activity(1), large, activity(3)]))
    assert len(await base.log.records(ACTIVITY)) == 2
    [letter] = await base.log.values(DEADLETTER)
    assert (letter["key"], letter["value"], letter["topic"]) == (large.id.encode(), None, "fake")


async def test_failures_are_kept_as_they_came() -> None:
    base = await ground()
    failure = Failure(key="event 7", value=b"\x00 odd", error=Reject("no sender"))
    await base.intake.take("fake", Batch(activities=[activity(1)], failures=[failure]))
    [letter] = await base.log.values(DEADLETTER)
    assert (letter["key"], letter["value"], letter["reason"]) == (b"event 7", b"\x00 odd", "no sender")


async def test_a_flood_stops_its_own_source_only() -> None:
    base = await ground()
    flood = [Failure(key=str(n), value=b"", error=Reject("odd")) for n in range(10)]
    with pytest.raises(Stop, match="in a row"):
        await base.intake.take("broken", Batch(failures=flood))
    await base.intake.take("fake", Batch(activities=[activity(1)], failures=flood[:1]))


async def test_what_kafka_does_not_take_is_raised_as_it_is() -> None:
    base = await ground()
    base.publisher.failure = lambda records: Unpublished([(records[0], Retry("away"))])
    with pytest.raises(Retry, match="away"):
        await base.intake.take("fake", Batch(activities=[activity(1)]))


async def test_accounts_are_introduced_once_and_bots_are_nobody() -> None:
    base = await ground()
    bot = Account(id="fake:bot", type=AccountType.SERVICE, name="Bot")
    ann = Account(id="fake:ann", name="Ann", address_hash="ab12")
    for _ in range(2):
        await base.intake.take("fake", Batch(accounts=[bot, ann]))
    await base.intake.take("fake", Batch(accounts=[replace(ann, name="Ann B.")]))
    said = {(one["account"], one["person"], one["name"]) for one in await base.log.values(ACCOUNT)}
    assert said == {("fake:bot", "", "Bot"), ("fake:ann", "fake:ann", "Ann"), ("fake:ann", "fake:ann", "Ann B.")}
    assert len(await base.log.records(ACCOUNT)) == 3


async def test_many_at_once_leave_the_loop_free() -> None:
    base = await ground()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await base.intake.take("fake", Batch(activities=[activity(number) for number in range(2_000)]))
    turning.cancel()
    assert turns >= 8


async def test_what_is_noted_is_stored_before_what_it_is_noted_for() -> None:
    base = await ground()
    await base.intake.take("fake", Batch(activities=[activity(1)], notes={"$edit": "$message"}))
    topics = [record.topic for record in base.publisher.order]
    assert topics.index(CURSOR.name("t.")) < topics.index(ACTIVITY.name("t."))


async def test_accounts_are_not_introduced_again_after_a_restart() -> None:
    base = await ground()
    ann = Account(id="fake:ann", name="Ann", handle="ann", address_hash="ab12")
    await base.intake.take("fake", Batch(accounts=[ann]))
    again = await ground(base.bus)
    await again.intake.take("fake", Batch(accounts=[ann]))
    assert len(await again.log.records(ACCOUNT)) == 1


async def test_what_an_administrator_has_linked_stays_linked_whatever_the_source_says() -> None:
    base = await ground()
    await base.intake.take("fake", Batch(accounts=[Account(id="fake:ann", name="Ann")]))
    [said] = await base.log.values(ACCOUNT)
    linked = said | {"person": "person:1", "evidence": "configured"}
    await base.publisher.publish(
        [Outgoing(topic=ACCOUNT.name("t."), key="fake:ann", value=Codec("account").encode(linked))]
    )
    again = await ground(base.bus)
    await again.intake.take("fake", Batch(accounts=[Account(id="fake:ann", name="Ann Brown")]))
    last = (await again.log.values(ACCOUNT))[-1]
    assert (last["person"], last["evidence"], last["name"]) == ("person:1", "configured", "Ann Brown")
