"""The server that sources deliver to, over a log in memory: who is let in, and what each is answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.common.bus import Unpublished
from services.common.errors import Reject, Retry
from services.common.topics import ACTIVITY, DEADLETTER
from services.ingest import webhooks
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
async def served(base: Ground, *doors: Door, per_second: float = 1000) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    app = Doors(doors, base.intake, base.letters, per_second=per_second).application(lambda: "")
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
