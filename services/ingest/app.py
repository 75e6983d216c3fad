"""The ingest service: a worker a source, and the server that sources deliver to. Wiring only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from services.common import logs
from services.common.access import AccessView
from services.common.bus import Bus
from services.common.bus.kafka import KafkaBus
from services.common.deadletters import DeadLetters, Flood
from services.common.errors import Stop
from services.common.run import Part, serving
from services.common.settings import Settings, Source
from services.ingest import mask, registry
from services.ingest.connector import Connector, Receiver, Tools
from services.ingest.cursors import Cursors
from services.ingest.intake import Intake
from services.ingest.webhooks import Door, Doors
from services.ingest.worker import Worker

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every way of taking in stands on."""

    intake: Intake
    cursors: Cursors
    letters: DeadLetters
    access: AccessView


@asynccontextmanager
async def ground(bus: Bus, settings: Settings) -> AsyncIterator[Ground]:
    """Yield the intake with what it knows loaded. Raises Retry when Kafka or a topic is not there."""
    async with AsyncExitStack() as stack:
        publisher = await bus.publisher()
        stack.push_async_callback(publisher.stop)
        access = AccessView(bus)
        stack.push_async_callback(access.stop)
        await access.load()
        cursors = Cursors(bus, publisher)
        await cursors.load()
        flood = Flood(in_a_row=settings.deadletters_in_a_row, of_thousand=settings.deadletters_of_thousand)
        letters = DeadLetters(publisher, "ingest", prefix=bus.prefix, flood=flood)
        yield Ground(Intake(publisher, access, letters, prefix=bus.prefix), cursors, letters, access)


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Sequence[Part]]:
    """Yield the parts of the service."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    async with ground(bus, settings) as base, AsyncExitStack() as stack:
        opened = [await _open(source, settings, stack) for source in settings.sources if source.enabled]
        workers = [
            Worker(source.name, connector, base.intake, base.cursors) for source, connector in opened if connector
        ]
        app = Doors(_doors(opened), base.intake, base.letters).application(lambda: "")
        app.router.add_get("/sources", _states(opened, workers))
        await stack.enter_async_context(serving(app, settings.host, settings.ingest_port))
        yield [base.access.follow(), *(_kept(worker) for worker in workers)]


async def _open(source: Source, settings: Settings, stack: AsyncExitStack) -> tuple[Source, Connector | None]:
    """Open a source; one that is set up wrongly is said so and left alone, and the others go on."""
    try:
        return source, await open_source(source, settings, stack)
    except Stop as error:
        _log.error("source not opened", source=source.name, reason=str(error))
        return source, None


async def open_source(source: Source, settings: Settings, stack: AsyncExitStack) -> Connector:
    """Return an open source that ``stack`` closes. Raises Stop when it is set up wrongly."""
    kind = registry.load(source.kind)
    options = registry.options_of(source, kind)
    folder = settings.state / "sources" / source.name
    tools = Tools(source=source.name, mask=mask.keyed(settings), state=folder)
    return await stack.enter_async_context(kind.open(options, tools))


def _doors(opened: Sequence[tuple[Source, Connector | None]]) -> list[Door]:
    return [
        Door(source=source.name, receiver=connector, prefixes=registry.load(source.kind).prefixes)
        for source, connector in opened
        if connector is not None and isinstance(connector, Receiver)
    ]


def _states(
    opened: Sequence[tuple[Source, Connector | None]], workers: Sequence[Worker]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer how each source is; one that does not read leaves the service able, for the others go on."""

    async def states(_: web.Request) -> web.Response:
        problems = {worker.source: worker.problem for worker in workers}
        found = {source.name: problems.get(source.name, "not opened: its settings are wrong") for source, _ in opened}
        return web.json_response(
            {name: {"reading": not problem, "problem": problem} for name, problem in found.items()}
        )

    return states


async def _kept(worker: Worker) -> None:
    """A worker that has ended leaves its service running: the other sources go on."""
    await worker.run()
    await asyncio.Event().wait()
