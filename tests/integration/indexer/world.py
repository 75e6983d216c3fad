"""An indexer of a test's own over real Kafka and Elasticsearch: topics and indices under a prefix of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient

from services.common import topics
from services.common.access import EVERYONE
from services.common.bus import Outgoing, Publisher
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.codec import Codec
from services.common.envelope import headers
from services.common.model import (
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Container,
    Enriched,
    Object,
    Provenance,
    Visibility,
)
from services.common.records import access_out, enriched_out
from services.common.search import Kind, Query
from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from services.indexer.app import indexing
from services.indexer.writer import Limits

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALL = "chat:hall"
NEEDED = (topics.ENRICHED, topics.ACCESS, topics.DEADLETTER)


def page(
    number: int, *, order: int = 1, text: str = "", verb: str = "wiki.edit", generation: int = 0, **changed: Any
) -> Enriched:
    """Return one state of page ``number``."""
    thing = Object(id=f"wiki:page/{number}", type="Page", title=f"Page {number}", content=text, order=order)
    activity = Activity(
        **{
            "id": f"{thing.id}@{order}#{verb}",
            "type": ActivityType.UPDATE,
            "verb": verb,
            "published": START + timedelta(seconds=number),
            "recorded": datetime.now(UTC),
            "actor": Account(id="wiki:ann", name="Ann"),
            "object": replace(thing, version=str(order)),
            "provenance": Provenance(source="wiki"),
            "context": (Container(id=HALL, type="Channel"),),
            **changed,
        }
    )
    return Enriched(activity=activity, person="ann", text=text, generation=generation)


def deletion(number: int, *, order: int) -> Enriched:
    """Return the deletion of page ``number``."""
    thing = Object(id=f"wiki:page/{number}", type="Tombstone", version=str(order), order=order)
    return page(
        number, order=order, verb="wiki.delete", type=ActivityType.DELETE, object=thing, withdraws=("*",)
    )  # fmt: skip


def redacted(state: Enriched) -> Enriched:
    """Return the state as it is published again after its withdrawal."""
    bare = replace(state.activity, object=replace(state.activity.object, title="", content=""))
    return replace(state, activity=bare, text="", generation=1_000_000)


class World:
    """One prefix of topics and indices, and ways to put things in and to see what came out."""

    def __init__(self, bus: KafkaBus, search: ElasticSearch, publisher: Publisher) -> None:
        self.bus = bus
        self.search = search
        self.publisher = publisher
        self._codecs = {name: Codec(name) for name in ("enriched", "access")}

    async def say(self, *states: Enriched) -> None:
        """Publish enriched activities, in this order."""
        for start in range(0, len(states), 200):  # in pieces, so that the event loop is not held
            await self.publisher.publish(map(self._said, states[start : start + 200]))

    def _said(self, state: Enriched) -> Outgoing:
        return Outgoing(
            topic=topics.ENRICHED.name(self.bus.prefix),
            key=state.activity.id,
            value=self._codecs["enriched"].encode(enriched_out(state)),
            headers=headers(state.activity),
            place=state.activity.object.id,
        )

    async def say_bytes(self, key: str, value: bytes | None) -> None:
        """Publish any bytes as an enriched activity."""
        await self.publisher.publish([Outgoing(topic=topics.ENRICHED.name(self.bus.prefix), key=key, value=value)])

    async def allow(self, *records: Access) -> None:
        """Publish access records."""
        await self.publisher.publish(
            Outgoing(
                topic=topics.ACCESS.name(self.bus.prefix),
                key=record.id,
                value=self._codecs["access"].encode(access_out(record)),
            )
            for record in records
        )

    async def open_hall(self) -> None:
        """Let everyone into the one container."""
        await self.allow(Access(id=HALL, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC, source="wiki"))

    async def found(self, kind: Kind = "activities", *principals: str, **changed: Any) -> list[str]:
        """Return the ids that an asker finds."""
        await self.search.refresh(kind)
        asked = Query(kind=kind, principals=(EVERYONE, *principals), **{"size": 1_000, **changed})
        return [hit.id for hit in (await self.search.find(asked)).hits]

    async def document(self, kind: Kind, name: str) -> dict[str, Any]:
        """Return a document whatever access says; empty where it is not there."""
        return (await self.search.get(kind, [name], principals=None)).get(name, {})

    async def count(self, kind: Kind = "activities") -> int:
        """Return how many documents are visible."""
        await self.search.refresh(kind)
        return await self.search.count(kind)

    async def committed(self) -> dict[int, int]:
        """Return the offsets that the indexer's group has stored, by partition."""
        client = await self._admin()
        try:
            found = await client.list_consumer_group_offsets(f"{self.bus.prefix}indexer")
        finally:
            await client.close()
        return {p.partition: o.offset for p, o in found.items()}

    async def letters(self) -> list[dict[str, Any]]:
        """Return all dead letters."""
        reader, codec = await self.bus.reader(), Codec("deadletter")
        try:
            bounds = await reader.bounds(topics.DEADLETTER.name(self.bus.prefix))
            await reader.start_at({p: first for p, (first, _) in bounds.items()})
            left = sum(end - first for first, end in bounds.values())
            found: list[dict[str, Any]] = []
            while len(found) < left:
                found += [codec.decode(r.value or b"") for r in await reader.poll(limit=1_000, wait=1)]
            return found
        finally:
            await reader.stop()

    async def _admin(self) -> AIOKafkaAdminClient:
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await client.start()
        return client

    bootstrap = ""

    async def remove(self) -> None:
        """Delete topics and indices."""
        client = await self._admin()
        try:
            await client.delete_topics([topic.name(self.bus.prefix) for topic in NEEDED])
        finally:
            await client.close()
        await self.search.remove_all()


@asynccontextmanager
async def world(kafka: str, elastic: str) -> AsyncIterator[World]:
    """Make a world; it is gone afterwards."""
    name = uuid4().hex[:10]
    bus = KafkaBus(KafkaSettings(bootstrap=kafka, partitions=3, replication=1), f"t{name}.")
    admin = await bus.admin()
    await admin.apply(NEEDED)
    await admin.stop()
    search, publisher = ElasticSearch(Client(elastic), f"t{name}-"), await bus.publisher()
    await search.prepare()
    made = World(bus, search, publisher)
    made.bootstrap = kafka
    try:
        yield made
    finally:
        await publisher.stop()
        await made.remove()
        await search.stop()


@asynccontextmanager
async def running(
    world: World, *, through: str = "", limits: Limits | None = None
) -> AsyncIterator[Sequence["asyncio.Task[None]"]]:
    """Run the whole indexer, by way of a proxy where one is given; what it raised stands in its tasks."""
    search = ElasticSearch(Client(through), world.bus.prefix[:-1] + "-") if through else world.search
    try:
        async with indexing(world.bus, search, limits=limits) as indexer:
            tasks = [asyncio.create_task(part) for part in indexer.parts]
            try:
                yield tasks
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        if through:
            await search.stop()


async def until(true: Callable[[], Awaitable[bool]], *, within: float = 30.0) -> None:
    """Wait until it is so."""
    end = monotonic() + within
    while not await true():
        assert monotonic() < end, "it did not become so in time"
        await asyncio.sleep(0.1)


def ids(states: Iterable[Enriched]) -> set[str]:
    """Return the ids of activities."""
    return {state.activity.id for state in states}
