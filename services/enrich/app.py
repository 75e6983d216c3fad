"""Wiring of `watercooler enrich`: views, the durable path, redaction, correction, health."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache

from aiohttp import web
from aiokafka.errors import KafkaError

from services.common import health, logs, topics
from services.common.access import AccessView
from services.common.bus import Partition
from services.common.bus.kafka import KafkaBus
from services.common.codec import Codec
from services.common.deadletters import Flood
from services.common.errors import Retry
from services.common.run import Part, serving
from services.common.settings import Settings
from services.enrich.accounts import AccountView
from services.enrich.correct import correcting
from services.enrich.garbage import calm
from services.enrich.lane import Tools
from services.enrich.memory import Memory
from services.enrich.pipeline import Knowledge
from services.enrich.redact import redacting
from services.enrich.retract import retracting
from services.enrich.session import Place, Session
from services.enrich.transaction import Broken, Fenced
from services.enrich.work import Worker

_ATTEMPTS = 5
"""Lives in a row without a single batch after which the process ends, to be started again by its supervisor."""
_log = logs.get(__name__)


class Path:
    """The durable path: sessions one after another, for as long as the service runs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session: Session | None = None

    @property
    def missing(self) -> str:
        """What is not yet there, in a sentence."""
        return self._session.missing if self._session else "the durable path has not started"

    async def run(self) -> None:
        """Go on for ever. Raises Stop, or Retry when Kafka keeps failing."""
        failures = 0
        while True:
            self._session = Session(self._place)
            try:
                await self._session.run()
            except Fenced as fenced:
                _log.warning("another worker has this partition now; joining anew", transactional_id=str(fenced))
            except (Broken, KafkaError) as error:
                failures = 1 if self._session.progressed else failures + 1
                _log.warning("joining anew after a failure", error=type(error).__name__, reason=str(error))
                if failures >= _ATTEMPTS:
                    raise Retry(f"Kafka failed {failures} times in a row ({error}); is it well?") from error
                await asyncio.sleep(min(2**failures / 2, 10))
            finally:
                await self._session.close()


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Sequence[Part]]:
    """The enriching service, for services.common.run."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    async with AsyncExitStack() as stack:
        access, accounts = AccessView(bus), AccountView(bus)
        for view in (access, accounts):
            stack.push_async_callback(view.stop)
            await view.load()
        executor = stack.enter_context(ThreadPoolExecutor(1, "enrich"))
        path = Path(await _place(settings, bus, access, accounts, executor))
        app = web.Application()
        health.add_routes(app, lambda: path.missing)
        await stack.enter_async_context(serving(app, settings.host, settings.enrich_port))
        calm()
        yield (
            access.follow(),
            accounts.follow(),
            path.run(),
            redacting(bus, access),
            retracting(bus, access),
            correcting(bus, accounts),
        )


def _flood(settings: Settings) -> Flood:
    return Flood(in_a_row=settings.deadletters_in_a_row, of_thousand=settings.deadletters_of_thousand)


async def _place(
    settings: Settings, bus: KafkaBus, access: AccessView, accounts: AccountView, executor: ThreadPoolExecutor
) -> Place:
    enriched = topics.ENRICHED.name(bus.prefix)
    admin = await bus.admin()
    try:
        incarnation = await admin.incarnation(enriched)
    finally:
        await admin.stop()

    @cache
    def memory(number: int) -> Memory:
        return Memory(settings.state / "enrich", Partition(enriched, number), incarnation)

    worker = Worker(
        enriched=enriched,
        public=topics.PUBLIC.name(bus.prefix),
        knowledge=Knowledge(people=accounts.people),
        access=access,
        activity_codec=Codec("activity"),
        enriched_codec=Codec("enriched"),
    )
    return Place(
        settings=settings.kafka_settings(),
        bus=bus,
        topic=topics.ACTIVITY.name(bus.prefix),
        group=f"{bus.prefix}enrich",
        session_seconds=settings.kafka_session_seconds,
        tools=Tools(worker, access, executor, _flood(settings), bus.prefix),
        memory=memory,
    )
