"""Wiring of the service: nothing else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from services.common import run
from services.common.access import AccessView
from services.common.bus import Bus
from services.common.bus.kafka import KafkaBus
from services.common.deadletters import DeadLetters, Flood
from services.common.health import add_routes
from services.common.search import Search
from services.common.search.elastic import ElasticSearch
from services.common.settings import Settings
from services.indexer.access_consumer import GrantsWriter
from services.indexer.consumer import Indexer
from services.indexer.records import Records
from services.indexer.writer import Limits, Writer


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Sequence[run.Part]]:
    """The indexer as ``run.main`` takes it."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    search = ElasticSearch.from_settings(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(search.stop)
        await search.prepare()
        flood = Flood(in_a_row=settings.deadletters_in_a_row, of_thousand=settings.deadletters_of_thousand)
        indexer = await stack.enter_async_context(indexing(bus, search, flood=flood))
        app = web.Application()
        add_routes(app, indexer.missing)
        await stack.enter_async_context(run.serving(app, settings.host, settings.index_port))
        yield indexer.parts


class Parts:
    """What runs, and what is missing at the moment."""

    def __init__(self, parts: Sequence[run.Part], writer: Writer) -> None:
        self.parts = parts
        self._writer = writer

    def missing(self) -> str:
        """Return one sentence while the index does not take writes, else nothing."""
        return self._writer.trouble


@asynccontextmanager
async def indexing(
    bus: Bus, search: Search, *, limits: Limits | None = None, flood: Flood | None = None, group: str = ""
) -> AsyncIterator[Parts]:
    """Start all parts over any bus and index; stop them in reverse order. ``group``: another one than the usual."""
    async with AsyncExitStack() as stack:
        publisher = await bus.publisher()
        stack.push_async_callback(publisher.stop)
        letters = DeadLetters(publisher, "indexer", prefix=bus.prefix, flood=flood)
        access = AccessView(bus)
        stack.push_async_callback(access.stop)
        await access.load()
        grants = GrantsWriter(bus, search)
        stack.push_async_callback(grants.stop)
        await grants.load()
        writer = Writer(search, Records(access).made, letters, before=access.caught_up, limits=limits)
        indexer = Indexer(bus, writer, name=group)
        await indexer.start()
        stack.push_async_callback(indexer.stop)
        yield Parts((access.follow(), grants.follow(), indexer.run(), indexer.measure()), writer)
