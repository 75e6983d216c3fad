"""Another person behind an account: what is found, what is changed, what must not come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.common import envelope, topics
from services.common.bus import Outgoing, Publisher, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.model import REDACTED_GENERATION, Enriched
from services.common.records import enriched_in, enriched_out
from services.common.withdrawal import blank
from services.enrich import correct
from services.enrich.accounts import AccountView
from services.enrich.correct import Corrector, corrected
from services.enrich.newest import Newest
from services.enrich.people import Known, People
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.scan import scan
from tests.unit.enrich.made import NOON, activity

ENRICHED, ACCOUNT = Codec("enriched"), Codec("account")
TOPIC = topics.ENRICHED.name("t.")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correct, "_AGAIN_AFTER", 0.0)


def done(number: int, by: str = "ann", **changes: Any) -> Enriched:
    [one] = enrich([activity(number, "some words", by=by, **changes)], Knowledge())
    return one


def stored(one: Enriched, *headers: tuple[str, bytes]) -> Outgoing:
    value = ENRICHED.encode(enriched_out(one))
    named = (("ce_subject", one.activity.object.id.encode()), (envelope.FINGERPRINT, b"f"), *headers)
    return Outgoing(topic=TOPIC, key=one.activity.id, value=value, headers=named, place=one.activity.object.id)


def link(account: str, person: str, **more: object) -> Outgoing:
    said = {"account": account, "person": person, "evidence": "configured", "recorded": NOON, **more}
    default = {"name": "", "handle": "", "addressHash": "", "automated": False, "source": ""}
    return Outgoing(topic=topics.ACCOUNT.name("t."), key=account, value=ACCOUNT.encode(default | said))


class World:
    """A log in memory, the accounts followed, and a corrector that is given what comes."""

    def __init__(self, bus: MemoryBus, publisher: Publisher, accounts: AccountView) -> None:
        self.bus, self.publisher, self.accounts = bus, publisher, accounts
        self.corrector = Corrector(bus, publisher, accounts)

    async def records(self, topic: str = TOPIC) -> list[Received]:
        reader = await self.bus.reader()
        return [one for p, (_, end) in (await reader.bounds(topic)).items() async for one in scan(reader, p, end)]

    async def say(self, *links: Outgoing) -> None:
        before = len(await self.records(links[0].topic))
        await self.publisher.publish(links)
        new = sorted(await self.records(links[0].topic), key=lambda one: one.timestamp)[before:]
        await self.corrector.handle(new)

    async def newest(self) -> dict[str, Received]:
        return {one.key: one for one in await self.records()}

    async def people(self) -> dict[str, str]:
        return {key: one(record).person for key, record in (await self.newest()).items() if record.value}


def one(record: Received) -> Enriched:
    return enriched_in(ENRICHED.decode(record.value or b""))


@asynccontextmanager
async def world(*links: Outgoing) -> AsyncIterator[World]:
    bus = MemoryBus("t.", partitions=1)
    publisher = await bus.publisher()
    await publisher.publish(links)
    accounts = AccountView(bus)
    await accounts.load()
    following = asyncio.create_task(accounts.follow())
    yield World(bus, publisher, accounts)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_the_past_counts_for_the_person_who_is_found_and_back_again() -> None:
    async with world() as w:
        await w.publisher.publish([stored(done(1)), stored(done(2, by="bob"))])
        await w.say(link("chat:ann", "person:ann"))
        assert await w.people() == {done(1).activity.id: "person:ann", done(2).activity.id: "chat:bob"}
        await w.say(link("chat:ann", ""))
        newest = (await w.newest())[done(1).activity.id]
    assert (one(newest).person, one(newest).generation, one(newest).text) == ("chat:ann", 2, "some words")
    assert newest.headers[envelope.CORRECTED] == b"2"
    assert orjson.loads(newest.headers[envelope.FORMERLY]) == ["person:ann"]
    assert newest.headers[envelope.FINGERPRINT] == b"f"


async def test_nothing_is_read_or_said_when_nobody_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(link("chat:ann", "person:ann")) as w:
        await w.publisher.publish([stored(done(1))])
        monkeypatch.setattr(w.bus, "reader", None)
        await w.corrector.handle([])
        monkeypatch.undo()
        await w.say(link("chat:zoe", "chat:zoe", evidence="self"))
        assert len(await w.records()) == 1


async def test_what_came_while_nobody_watched_is_compared_with_everything() -> None:
    async with world(link("chat:ann", "person:ann")) as w:
        await w.publisher.publish([stored(done(1)), stored(done(2, by="bob"))])
        await w.corrector.handle(await w.records(topics.ACCOUNT.name("t.")))
        assert sorted((await w.people()).values()) == ["chat:bob", "person:ann"]
        assert len(await w.records()) == 3  # bob's is right and is left alone


async def test_an_address_that_becomes_known_joins_accounts_that_nobody_has_told_of() -> None:
    mine = done(1, by="git", actor=replace(activity(1).actor, id="git:author/x", address_hash="hash"))
    async with world() as w:
        await w.publisher.publish([stored(mine)])
        await w.say(link("chat:ann", "chat:ann", evidence="self", addressHash="hash"))
        assert list((await w.people()).values()) == ["chat:ann"]


async def test_an_account_that_turns_out_to_be_a_bots_is_nobody() -> None:
    async with world() as w:
        await w.publisher.publish([stored(done(1))])
        await w.say(link("chat:ann", "", automated=True))
        (record,) = (await w.newest()).values()
    assert (one(record).person, one(record).automated) == ("", True)


async def test_an_erased_or_redacted_activity_stays_what_it_is() -> None:
    erased, redacted = stored(done(1)), blank(replace(done(2), generation=REDACTED_GENERATION))
    async with world() as w:
        await w.publisher.publish([erased, stored(done(2)), stored(redacted, (envelope.REDACTED, b"1"))])
        await w.publisher.publish([replace(erased, value=None)])
        await w.say(link("chat:ann", "person:ann"))
        newest = await w.newest()
    assert newest[erased.key].value is None
    last = newest[done(2).activity.id]
    assert (one(last).person, one(last).text) == ("person:ann", "")
    assert one(last).generation == REDACTED_GENERATION + 1
    assert envelope.REDACTED in last.headers


@pytest.mark.parametrize("erased", [True, False])
async def test_what_is_taken_away_meanwhile_has_the_last_word(*, erased: bool) -> None:
    blanked = stored(blank(replace(done(1), generation=REDACTED_GENERATION)), (envelope.REDACTED, b"1"))
    taken = replace(blanked, value=None) if erased else blanked

    class Overtaken:
        """A publisher before whose first record another one comes."""

        async def publish(self, records: list[Outgoing]) -> None:
            nonlocal taken
            first, taken = taken, None  # type: ignore[assignment]
            await w.publisher.publish([*([first] if first else []), *records])

    async with world() as w:
        await w.publisher.publish([stored(done(1))])
        w.corrector = Corrector(w.bus, Overtaken(), w.accounts)  # type: ignore[arg-type]
        await w.say(link("chat:ann", "person:ann"))
        record = (await w.newest())[done(1).activity.id]
    assert record.value is None if erased else b"some words" not in (record.value or b"")


async def test_many_are_corrected_in_several_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correct, "_MOST", 30)
    monkeypatch.setattr(correct, "_AT_ONCE", 10)
    async with world() as w:
        await w.publisher.publish([stored(done(number)) for number in range(100)])
        w.corrector = Corrector(w.bus, w.publisher, w.accounts, per_second=1e6)
        await w.say(link("chat:ann", "person:ann"))
        assert set((await w.people()).values()) == {"person:ann"}
        assert len(await w.records()) == 200


def test_a_mention_follows_the_account_that_was_meant() -> None:
    people = People()
    people.apply(Known(account="chat:bob", person="person:bob", evidence="configured"))
    told = replace(done(1, mentions=("chat:bob",)), mention_people=("person:wrong", "chat:cy"))
    assert corrected(told, people, {"chat:bob": "person:wrong"}).mention_people == ("person:bob", "chat:cy")


def test_the_newest_of_each_key_is_found_with_its_highest_generation() -> None:
    newest = Newest()
    for offset, (key, generation) in enumerate([("a", 0), ("b", 3), ("a", 2), ("b", 0), ("c", 0)]):
        newest.add(key, offset, generation)
    assert newest.found() == ([2, 3, 4], [2, 3, 0])
    assert Newest().found() == ((), ())
