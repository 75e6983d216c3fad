"""The ingest service: a worker a source, and the server that sources deliver to. Wiring only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial

from aiohttp import web

from services.common.access import AccessView
from services.common.bus import Bus
from services.common.bus.kafka import KafkaBus
from services.common.deadletters import DeadLetters, Flood
from services.common.run import Part, serving
from services.common.settings import Settings, Source
from services.ingest import mask, registry
from services.ingest.connector import Connector, Tools
from services.ingest.cursors import Cursors
from services.ingest.intake import Intake, LettersOf
from services.ingest.introductions import Introductions
from services.ingest.webhooks import Door, Doors
from services.ingest.worker import Worker


@dataclass(frozen=True, slots=True)
class Ground:
    """What every way of taking in stands on."""

    intake: Intake
    cursors: Cursors
    letters: LettersOf
    access: AccessView
    introductions: Introductions


@asynccontextmanager
async def ground(bus: Bus, settings: Settings) -> AsyncIterator[Ground]:
    """Yield the intake with what it knows loaded. Raises Retry when Kafka or a topic is not there."""
    async with AsyncExitStack() as stack:
        publisher = await bus.publisher()
        stack.push_async_callback(publisher.stop)
        access, introductions = AccessView(bus), Introductions(bus)
        for view in (access, introductions):
            stack.push_async_callback(view.stop)
            await view.load()
        cursors = Cursors(bus, publisher)
        await cursors.load()

        @cache
        def letters(_: str) -> DeadLetters:
            flood = Flood(in_a_row=settings.deadletters_in_a_row, of_thousand=settings.deadletters_of_thousand)
            return DeadLetters(publisher, "ingest", prefix=bus.prefix, flood=flood)

        intake = Intake(publisher, access, cursors, introductions, letters, prefix=bus.prefix)
        yield Ground(intake, cursors, letters, access, introductions)


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Sequence[Part]]:
    """Yield the parts of the service."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    async with ground(bus, settings) as base, AsyncExitStack() as stack:
        workers = [
            Worker(source.name, partial(opened, source, settings, base.cursors), base.intake, base.cursors)
            for source in settings.sources
            if source.enabled
        ]
        per_address = settings.ingest_deliveries_per_address
        app = Doors(doors(settings, workers), base.intake, base.letters, per_address=per_address).application(
            lambda: ""
        )
        app.router.add_get("/sources", _states(workers))
        await stack.enter_async_context(serving(app, settings.host, settings.ingest_port))
        yield [base.access.follow(), base.introductions.follow(), *(_kept(worker) for worker in workers)]


@asynccontextmanager
async def opened(source: Source, settings: Settings, cursors: Cursors | None = None) -> AsyncIterator[Connector]:
    """Yield a source, open. Raises Stop when it is set up wrongly, Retry when it is away.

    Without ``cursors`` it knows nothing of what it noted before, as for a look at whether it answers.
    """
    kind = registry.load(source.kind)
    options = registry.options_of(source, kind)
    folder = settings.state / "sources" / source.name
    noted: Callable[[str], str] = partial(cursors.noted, source.name) if cursors else lambda _: ""
    tools = Tools(source=source.name, mask=mask.keyed(settings), state=folder, noted=noted)
    async with kind.open(options, tools) as connector:
        yield connector


def doors(settings: Settings, workers: Sequence[Worker]) -> list[Door]:
    """Return a door for every worker; whether its source takes deliveries is known once that is open."""
    kinds = {source.name: source.kind for source in settings.sources}
    return [Door(worker=worker, prefixes=_prefixes(kinds[worker.source])) for worker in workers]


def _prefixes(kind: str) -> tuple[str, ...]:
    return registry.load(kind).prefixes if kind in registry.available() else ()


def _states(workers: Sequence[Worker]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer how each source is; one that does not read leaves the service able, for the others go on."""

    async def states(_: web.Request) -> web.Response:
        return web.json_response(
            {
                worker.source: {"reading": not worker.problem, "stopped": worker.stopped, "problem": worker.problem}
                for worker in workers
            }
        )

    return states


async def _kept(worker: Worker) -> None:
    """A worker that has ended leaves its service running: the other sources go on."""
    await worker.run()
    await asyncio.Event().wait()
