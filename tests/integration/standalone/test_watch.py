"""What is asked of a service over HTTP, and what its part of the status then says."""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from services.standalone import ports
from services.standalone.parts import Part, State
from services.standalone.watch import Watch


class Service:
    """Answers as a service does."""

    def __init__(self) -> None:
        self.missing = ""
        self.problem = ""
        self.count = 100
        self.port = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/sources", self.sources)
        return app

    async def readyz(self, _: web.Request) -> web.Response:
        return web.json_response({"missing": self.missing}, status=503 if self.missing else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=f'watercooler_records_total{{stage="x"}} {self.count}\nwatercooler_lag_records 7\n')

    async def sources(self, _: web.Request) -> web.Response:
        return web.json_response({"wiki": {"problem": self.problem}, "code": {"problem": ""}})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service that listens."""
    one = Service()
    runner = web.AppRunner(one.app())
    await runner.setup()
    await web.TCPSite(runner, ports.HOST, 0).start()
    one.port = runner.addresses[0][1]
    yield one
    await runner.cleanup()


async def test_ready_rate_lag_and_what_is_wrong_with_a_source_are_told(service: Service) -> None:
    part = Part("ingest", "reads")
    part.set(State.STARTING, pid=os.getpid())
    one = Watch(part, service.port, reads_sources=True)
    async with aiohttp.ClientSession() as session:
        service.missing = "Kafka is away"
        await one.look(session)
        assert (part.state, part.detail, part.answers) == (State.STARTING, "Kafka is away", True)

        service.missing, service.problem, service.count = "", "the token is not accepted", 150
        await one.look(session)
        assert (part.state, part.detail) == (State.RUNNING, "wiki: the token is not accepted")
        assert part.lag == 7
        assert part.rate is not None
        assert part.rate > 0

        service.count = 3  # it was started anew
        rate = part.rate
        await one.look(session)
        assert part.rate == rate


async def test_a_service_that_does_not_answer_is_starting() -> None:
    part = Part("score", "scores")
    part.set(State.RUNNING, pid=os.getpid())
    async with aiohttp.ClientSession() as session:
        await Watch(part, ports.free()).look(session)
    assert (part.state, part.answers, part.pid) == (State.STARTING, False, os.getpid())


async def test_a_part_between_two_lives_is_left_alone(service: Service) -> None:
    part = Part("score", "scores")
    part.set(State.RESTARTING, "in 4 s")
    async with aiohttp.ClientSession() as session:
        await Watch(part, service.port).look(session)
    assert (part.state, part.detail) == (State.RESTARTING, "in 4 s")
