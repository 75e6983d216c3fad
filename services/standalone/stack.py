"""Everything on one machine: the order in which parts come up, stay up and go down."""

import asyncio
from collections.abc import Awaitable, Callable

from services.common.bus.kafka_admin import KafkaAdmin
from services.common.errors import Stop
from services.common.http_rules import shown_text
from services.common.topics import TOPICS
from services.standalone import elastic, folder, install, kafka
from services.standalone.demo import Demo
from services.standalone.install import ELASTICSEARCH, KAFKA
from services.standalone.java import Java
from services.standalone.keeper import Keeper
from services.standalone.parts import Part, State, Status
from services.standalone.plan import SERVICES, Plan, log_reason
from services.standalone.process import Server
from services.standalone.screen import Screen
from services.standalone.watch import Watch, watch

RETRY_FETCH = 60.0
SHOW = 0.5


class Stack:
    """All parts of one `up`."""

    def __init__(self, plan: Plan, screen: Screen, *, demo: bool) -> None:
        self.status = Status(plan.page)
        self._plan = plan
        self._screen = screen
        self._cache = folder.cache()
        self._kafka = Keeper(self.status.part("Kafka", "the record of everything"), self._start_kafka)
        self._elastic = Keeper(self.status.part("Elasticsearch", "the search"), self._start_elastic)
        self._services = {name: self._service(name, does) for name, does in SERVICES.items()}
        self._demo = Demo(plan, self.status.part("demo", "a year of an open-source organisation")) if demo else None

    async def run(self) -> None:
        """Bring everything up, step by step, and keep it up; never returns. Stop when the first step fails."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._show())
            opened = asyncio.Event()
            beside = not install.missing(ELASTICSEARCH, self._cache)
            if beside:  # nothing to fetch: it comes up beside Kafka instead of after it
                group.create_task(self._search(group, opened))
            await self._open_kafka()
            opened.set()
            if self._plan.own_kafka:
                group.create_task(self._kafka.keep())
            for name, keeper in self._services.items():
                if name != "index":
                    group.create_task(keeper.keep())
            group.create_task(watch(self._watches()))
            if self._demo:
                group.create_task(self._demo.run())
            if not beside:
                await self._search(group, opened)

    async def _search(self, group: asyncio.TaskGroup, opened: asyncio.Event) -> None:
        """Keep Elasticsearch and, once Kafka is there too, what fills it."""
        await self._open_search()
        if self._plan.own_elasticsearch:
            group.create_task(self._elastic.keep())
            await self._elastic.up.wait()
        await opened.wait()
        group.create_task(self._services["index"].keep())

    async def stop(self) -> None:
        """Stop everything, from what reads the sources to what keeps the record; `run` must have been cancelled."""
        if self._demo:
            await self._demo.stop()
        for name in ("ingest", "enrich", "score", "index", "gateway"):
            await self._one_less(self._services[name])
        for keeper, own in ((self._elastic, self._plan.own_elasticsearch), (self._kafka, self._plan.own_kafka)):
            if own:
                await self._one_less(keeper)

    async def _one_less(self, keeper: Keeper) -> None:
        self.status.open = self.status.ready = False
        keeper.part.set(State.STOPPING)
        self._tell()
        await keeper.stop()
        self._tell()

    async def _open_kafka(self) -> None:
        if self._plan.own_kafka:
            await self._fetch(self._kafka.part, lambda: install.have(KAFKA, self._screen, self._cache))
            await self._kafka.first()
        else:
            self._kafka.part.set(State.GIVEN, self._plan.settings.kafka)
        settings = self._plan.settings
        admin = await KafkaAdmin.start(settings.kafka_settings(), settings.topic_prefix)
        try:
            await admin.apply(TOPICS)
        finally:
            await admin.stop()

    async def _open_search(self) -> None:
        """Have Elasticsearch, however long that takes: the rest runs meanwhile."""
        if not self._plan.own_elasticsearch:
            return self._elastic.part.set(State.GIVEN, shown_text(self._plan.settings.elasticsearch))
        while True:
            try:
                return await self._fetch(
                    self._elastic.part, lambda: install.have(ELASTICSEARCH, self._screen, self._cache)
                )
            except Stop as error:
                self._elastic.part.set(State.WAITING, f"again in {RETRY_FETCH:.0f} s; {error}")
            await asyncio.sleep(RETRY_FETCH)

    async def _fetch(self, part: Part, have: Callable[[], Awaitable[object]]) -> None:
        part.set(State.FETCHING)
        await self._java()
        await have()

    async def _java(self) -> Java:
        return await install.have_java(self._screen, self._cache)

    async def _start_kafka(self) -> Server:
        home = await install.have(KAFKA, self._screen, self._cache)
        settings = self._plan.settings
        return await kafka.start(
            self._plan.state, settings.kafka_port, await self._java(), home, heap=settings.kafka_heap
        )

    async def _start_elastic(self) -> Server:
        home = await install.have(ELASTICSEARCH, self._screen, self._cache)
        settings = self._plan.settings
        return await elastic.start(
            self._plan.state, settings.elasticsearch_port, await self._java(), home, heap=settings.elasticsearch_heap
        )

    def _service(self, name: str, does: str) -> Keeper:
        return Keeper(self.status.part(name, does), lambda: self._plan.start(name), log_reason, State.STARTING)

    def _watches(self) -> list[Watch]:
        ports = ((name, keeper.part, self._plan.port(name)) for name, keeper in self._services.items())
        return [Watch(part, port, reads_sources=name == "ingest") for name, part, port in ports]

    async def _show(self) -> None:
        while True:
            parts = [keeper.part for keeper in (self._kafka, self._elastic, *self._services.values())]
            self.status.open = self._services["gateway"].part.answers
            self.status.ready = all(part.state in (State.RUNNING, State.GIVEN) for part in parts)
            self._tell()
            await asyncio.sleep(SHOW)

    def _tell(self) -> None:
        self._screen.show(self.status)
        self.status.save(self._plan.state)
