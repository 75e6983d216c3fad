"""The server that sources deliver to, over a log in memory: who is let in, and what each is answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.common.bus import Unpublished
from services.common.errors import Reject, Retry
from services.common.topics import ACTIVITY, DEADLETTER
from services.ingest import addresses, webhooks
from services.ingest.addresses import network
from services.ingest.connector import Batch, Delivery, Receipt, Unverified
from services.ingest.webhooks import Door, Doors
from services.ingest.worker import Worker
from tests.unit.ingest.fakes import FakeSource, Ground, activity, ground

APPSERVICE = "/_matrix/app/v1"


class Hooked(FakeSource):
    """A source that delivers numbers, signed by its name."""

    def __init__(self, name: str = "fake") -> None:
        super().__init__()
        self.name = name
        self.got: list[Delivery] = []
        self.error: Exception | None = None

    async def receive(self, delivery: Delivery) -> Receipt:
        if delivery.headers.get("x-from") != self.name:
            raise Unverified("not signed as agreed")
        self.got.append(delivery)
        if self.error:
            raise self.error
        if not delivery.body.isdigit():
            raise Reject("the body is not a number")
        return Receipt(batch=Batch(activities=[activity(int(delivery.body))]), answer={"took": 1}, status=202)


def worker(base: Ground, source: FakeSource, name: str, *, is_open: bool = True) -> Worker:
    one = Worker(name, source.open, base.intake, base.cursors)
    one.connector = source if is_open else None
    return one


@asynccontextmanager
async def served(base: Ground, *doors: Door, **limits: float) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    app = Doors(doors, base.intake, base.letters, **limits).application(lambda: "")
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_what_is_answered_2xx_is_in_the_log() -> None:
    base, source = await ground(), Hooked()
    async with served(base, Door(worker=worker(base, source, "fake"))) as client:
        answer = await client.post("/hooks/fake/some/path?a=b", data=b"7", headers={"X-From": "fake"})
        assert (answer.status, await answer.json()) == (202, {"took": 1})
    assert [one.key for one in await base.log.records(ACTIVITY)] == [activity(7).id]
    assert (source.got[0].path, source.got[0].query) == ("some/path", {"a": "b"})


async def test_what_is_not_verified_is_nowhere() -> None:
    base, source = await ground(), Hooked()
    async with served(base, Door(worker=worker(base, source, "fake"))) as client:
        answer = await client.post("/hooks/fake", data=b"7", headers={"X-From": "stranger"})
    assert (answer.status, source.got) == (401, [])
    assert await base.log.records(ACTIVITY) == await base.log.records(DEADLETTER) == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(Retry("away"), 503), (Reject("odd"), 422), (KeyError("inside"), 500), (TimeoutError(), 503)],
)
async def test_each_error_has_its_answer_and_shows_nothing_of_the_inside(error: Exception, status: int) -> None:
    base, source = await ground(), Hooked()
    source.error = error
    async with served(base, Door(worker=worker(base, source, "fake"))) as client:
        answer = await client.post("/hooks/fake", data=b"7", headers={"X-From": "fake"})
        said = await answer.json()
    assert (answer.status, answer.content_type, said["status"]) == (status, "application/problem+json", status)
    assert "inside" not in said["detail"]


async def test_a_delivery_is_refused_while_kafka_does_not_take_it() -> None:
    base, source = await ground(), Hooked()
    base.publisher.failure = lambda records: Unpublished([(records[0], Retry("away"))])
    async with served(base, Door(worker=worker(base, source, "fake"))) as client:
        answer = await client.post("/hooks/fake", data=b"7", headers={"X-From": "fake"})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        base.publisher.failure = lambda _: None
        assert (await client.post("/hooks/fake", data=b"7", headers={"X-From": "fake"})).status == 202
    assert len(await base.log.records(ACTIVITY)) == 1


async def test_too_many_at_once_are_asked_to_come_again_and_other_sources_are_not() -> None:
    base, busy, calm = await ground(), Hooked("busy"), Hooked("calm")
    doors = [Door(worker=worker(base, one, one.name)) for one in (busy, calm)]
    async with served(base, *doors, per_second=2) as client:
        answers = [await client.post("/hooks/busy", data=b"7", headers={"X-From": "busy"}) for _ in range(3)]
        other = await client.post("/hooks/calm", data=b"8", headers={"X-From": "calm"})
    assert [one.status for one in answers] == [202, 202, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert other.status == 202


async def test_a_stranger_uses_up_nothing_of_a_sources_budget() -> None:
    base, source = await ground(), Hooked()
    async with served(base, Door(worker=worker(base, source, "fake")), per_second=2) as client:
        strange = [await client.post("/hooks/fake", data=b"7", headers={"X-From": "stranger"}) for _ in range(9)]
        signed = [await client.post("/hooks/fake", data=b"7", headers={"X-From": "fake"}) for _ in range(3)]
    assert {one.status for one in strange} == {401}
    assert [one.status for one in signed] == [202, 202, 429]


async def test_an_address_that_asks_too_much_is_refused_before_anything_is_read() -> None:
    base, source = await ground(), Hooked()
    async with served(base, Door(worker=worker(base, source, "fake")), per_address=3) as client:
        answers = [await client.post("/hooks/fake", data=b"7", headers={"X-From": "stranger"}) for _ in range(3)]
        too_much = await client.post("/hooks/fake", data=b"7", headers={"X-From": "fake"})
        nowhere = await client.post("/hooks/nobody", data=b"7")
        healthy = await client.get("/healthz")
    assert [one.status for one in answers] == [401, 401, 401]
    assert (too_much.status, too_much.headers["Retry-After"], nowhere.status, source.got) == (429, "1", 429, [])
    assert healthy.status == 200


async def test_what_is_refused_for_the_budget_is_not_kept_as_nonsense() -> None:
    base, source = await ground(), Hooked()
    async with served(base, Door(worker=worker(base, source, "fake")), per_second=2) as client:
        answers = [await client.post("/hooks/fake", data=b"x", headers={"X-From": "fake"}) for _ in range(3)]
    assert [one.status for one in answers] == [422, 422, 429]
    assert len(await base.log.records(DEADLETTER)) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "unknown", False),
    ],
)
def test_a_sender_is_told_by_what_it_cannot_choose(one: str, other: str, *, same: bool) -> None:
    assert (network(one) == network(other)) is same


async def test_addresses_are_forgotten_before_they_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_MOST", 2)
    known = addresses.Addresses(1)
    first = [await known.let_in(one) for one in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3")]
    assert first == [True, False, True, True]
    assert await known.let_in("192.0.2.1")
    assert len(known._budgets) == 2


async def test_a_sender_of_nonsense_is_told_so_however_often() -> None:
    base, source = await ground(), Hooked()
    async with served(base, Door(worker=worker(base, source, "fake"))) as client:
        answers = [await client.post("/hooks/fake", data=b"x", headers={"X-From": "fake"}) for _ in range(12)]
    assert {one.status for one in answers} == {422}
    assert len(await base.log.records(DEADLETTER)) == 12


@pytest.mark.parametrize(("sender", "taken_by"), [("one", "one"), ("two", "two"), ("stranger", "")])
async def test_of_several_sources_behind_one_path_the_right_one_takes_it(sender: str, taken_by: str) -> None:
    base, one, two = await ground(), Hooked("one"), Hooked("two")
    doors = [Door(worker=worker(base, it, it.name), prefixes=(APPSERVICE,)) for it in (one, two)]
    async with served(base, *doors) as client:
        answer = await client.put(f"{APPSERVICE}/transactions/5", data=b"7", headers={"X-From": sender})
    assert answer.status == (202 if taken_by else 401)
    assert [it.name for it in (one, two) if it.got] == ([taken_by] if taken_by else [])
    assert all(delivery.path == "transactions/5" for it in (one, two) for delivery in it.got)


@pytest.mark.parametrize(("sender", "status"), [("open", 202), ("closed", 503)])
async def test_a_delivery_comes_again_while_the_source_it_may_be_from_is_closed(sender: str, status: int) -> None:
    base, closed, open_ = await ground(), Hooked("closed"), Hooked("open")
    doors = [
        Door(worker=worker(base, closed, "closed", is_open=False), prefixes=(APPSERVICE,)),
        Door(worker=worker(base, open_, "open"), prefixes=(APPSERVICE,)),
    ]
    async with served(base, *doors) as client:
        answer = await client.put(f"{APPSERVICE}/transactions/5", data=b"7", headers={"X-From": sender})
    assert answer.status == status


async def test_a_source_that_takes_no_deliveries_has_no_door() -> None:
    base = await ground()
    async with served(base, Door(worker=worker(base, FakeSource(), "fake"))) as client:
        assert (await client.post("/hooks/fake", data=b"7")).status == 404
        assert (await client.get("/healthz")).status == 200


async def test_a_body_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_SLOWEST", 0.05)
    base = await ground()
    async with served(base, Door(worker=worker(base, Hooked(), "fake"))) as client:
        assert client.port
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"POST /hooks/fake HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n7")
        async with asyncio.timeout(5):
            first = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert b" 408 " in first
