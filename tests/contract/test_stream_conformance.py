"""Our gateway keeps every promise of the conformance suite; and the suite sees it where a gateway does not."""

import asyncio
import itertools
import json
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.conformance import checks
from bench.conformance.__main__ import session, tried
from bench.conformance.checks import CHECKS, Check
from bench.conformance.target import Target
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.bus.memory import MemoryBus
from services.common.search.memory import MemorySearch
from services.gateway.stream.position import Position
from tests.fixtures.stack import Stack
from tests.unit.gateway.world import HALL, World, said, world

TWINS = [check for check in CHECKS if check is not checks.drains]
REAL = [check for check in CHECKS if check is not checks.heartbeat]
"""The heartbeat takes its quarter of a minute; the twins see it sooner."""
STALE = Position(b"lost", (1, 2, 3)).text()


@pytest.mark.parametrize("check", TWINS, ids=lambda check: check.__name__)
async def test_two_gateways_over_twins_keep_a_promise(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.stream.hub._HEARTBEAT", 1)
    bus, search, numbers = MemoryBus("t."), MemorySearch(), itertools.count()
    settings = {"gateway_streams_per_person": 9}
    async with world(bus, search, **settings) as one, world(bus, search, **settings) as two, session() as client:
        await one.opened(HALL)

        async def publish(count: int) -> None:
            await one.happens(*(said(next(numbers)) for _ in range(count)))

        urls = [str(w.client.make_url("")).rstrip("/") for w in (one, two)]
        target = Target(urls=urls, session=client, params={"as": "ann"}, publish=publish, stale=STALE, limit=9)
        (verdict,) = await tried(target, [check])
    assert (verdict.what, verdict.why) == ("kept", "")


@pytest.mark.integration
async def test_two_processes_on_real_servers_keep_every_promise(stack: Stack) -> None:
    stack.start("index", "gateway")
    stack.start("gateway", name="second")
    await stack.ready()
    kafka = KafkaSettings(bootstrap=stack.environ["WATERCOOLER_KAFKA"], partitions=4, replication=1)
    log = World(KafkaBus(kafka, stack.prefix), *cast(Any, (None, None, None)))  # publishes, and nothing else
    numbers = itertools.count()
    await log.publish_access(HALL)

    async def publish(count: int) -> None:
        await log.happens(*(said(next(numbers)) for _ in range(count)), index=False)

    async def restart() -> None:
        await asyncio.to_thread(stack.end, "gateway")
        stack.start("gateway")
        await stack.ready("gateway")

    async with session() as client:
        target = Target(
            urls=[stack.url("gateway"), stack.url("second")],
            session=client,
            params={"as": "ann"},
            publish=publish,
            restart=restart,
            stale=STALE,
            limit=50,
            patience=60,
        )
        verdicts = await tried(target, REAL)
    assert log.publisher is not None
    await log.publisher.stop()
    assert [(one.check.__name__, one.why) for one in verdicts if one.what != "kept"] == []


class Faulty:
    """A gateway of a few lines that keeps the promises of resuming, but for one fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.events: list[str] = []
        self.more = asyncio.Condition()

    async def publish(self, count: int) -> None:
        async with self.more:
            self.events += [json.dumps({"id": f"e{len(self.events) + n}"}) for n in range(count)]
            self.more.notify_all()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Last-Event-ID", str(len(self.events)))
        if not given.isdigit():
            if self.fault != "silent":
                raise web.HTTPBadRequest(text="{}", content_type="application/problem+json")
            given = str(len(self.events))
        at = int(given) + (self.fault == "loses" and "Last-Event-ID" in request.headers)
        at -= self.fault == "doubles" and "Last-Event-ID" in request.headers and at > 0
        kind = "text/plain" if self.fault == "plain" else "text/event-stream"
        headers = {"Content-Type": kind, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if self.fault != "late":
            await response.write(f"id: {at}\n\n".encode())
        while True:
            async with self.more:
                while len(self.events) <= at:
                    await self.more.wait()
            text = f"id: {at + 1}\ndata: {self.events[at]}\n\n"
            at += 1
            await response.write(text.encode())


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("loses", checks.resumes),
        ("loses", checks.churn),
        ("doubles", checks.resumes),
        ("doubles", checks.churn),
        ("silent", checks.a_strange_id_is_told),
        ("plain", checks.fit_for_proxies),
        ("late", checks.begins_with_an_id),
        ("", checks.a_page_goes_on_live),
        ("", checks.lines),
        ("", checks.states_its_life),
    ],
)
async def test_the_suite_sees_a_promise_that_is_broken(fault: str, check: Check) -> None:
    faulty = Faulty(fault)
    app = web.Application()
    app.router.add_get("/v1/stream", faulty.stream)
    async with TestServer(app) as server, session() as client:
        url = str(server.make_url("")).rstrip("/")
        (verdict,) = await tried(Target(urls=[url], session=client, publish=faulty.publish, patience=1), [check])
    assert verdict.what == "broken"


@pytest.mark.parametrize("check", [checks.resumes, checks.a_strange_id_is_told, checks.live, checks.begins_with_an_id])
async def test_the_suite_sees_a_promise_that_is_kept_elsewhere(check: Check) -> None:
    faulty = Faulty("")
    app = web.Application()
    app.router.add_get("/v1/stream", faulty.stream)
    async with TestServer(app) as server, session() as client:
        url = str(server.make_url("")).rstrip("/")
        (verdict,) = await tried(Target(urls=[url], session=client, publish=faulty.publish), [check])
    assert (verdict.what, verdict.why) == ("kept", "")


async def test_what_cannot_be_tried_is_said() -> None:
    async with session() as client:
        verdicts = await tried(Target(urls=["http://127.0.0.1:1"], session=client), [checks.drains, checks.bounded])
    assert [one.what for one in verdicts] == ["untried", "untried"]
