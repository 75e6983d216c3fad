"""A small organisation over twins: publish what happens, ask the gateway about it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from services.common import topics
from services.common.bus import Bus, Outgoing, Publisher
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.envelope import headers
from services.common.model import (
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Object,
    Provenance,
    Visibility,
)
from services.common.records import access_out, enriched_out
from services.common.search import Search
from services.common.search.memory import MemorySearch
from services.common.settings import Settings
from services.common.topics import Topic
from services.gateway.app import build
from services.gateway.parts import Parts
from services.indexer.access_consumer import GrantsWriter
from services.indexer.document import writes
from tests.fixtures.sse import Event, blocks
from tests.fixtures.stack import eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALL = "chat:hall"
ROOM = "chat:room"


def said(number: int, *, text: str = "", where: str = HALL, who: str = "ann", **changed: Any) -> Enriched:
    """Return a message: the ``number``-th, a minute after the one before."""
    words = text or f"message {number}"
    at = NOON + timedelta(minutes=number)
    activity = Activity(
        **{
            "id": f"chat:{number}#chat.message",
            "type": ActivityType.CREATE,
            "verb": "chat.message",
            "published": at,
            "recorded": at,
            "actor": Account(id=f"chat:{who}", name=who.title()),
            "object": Object(id=f"chat:{number}", type="Note", content=words, version="1"),
            "provenance": Provenance(source="chat"),
            "context": (Container(id=where, type="Channel", name=where.removeprefix("chat:")),),
            "audience": Audience(visibility=Visibility.PUBLIC, container=where),
            **changed,
        }
    )
    return Enriched(activity=activity, person=who, text=words)


@dataclass
class World:
    """The log, the index and a gateway over both."""

    bus: Bus
    search: Search
    parts: Parts
    client: TestClient[Any, Any]
    running: list[asyncio.Task[None]] = field(default_factory=list)
    codecs: dict[str, Codec] = field(default_factory=dict)
    grants: GrantsWriter | None = None
    publisher: Publisher | None = None

    @property
    def url(self) -> str:
        """Where the gateway is."""
        return str(self.client.make_url("/"))

    async def publish(self, topic: Topic, key: str, record: dict[str, Any] | None, **more: Any) -> None:
        """Publish one record."""
        codec = self.codecs.setdefault(topic.schema, Codec(topic.schema))
        value = None if record is None else codec.encode(record)
        await self.put([Outgoing(topic=topic.name(self.bus.prefix), key=key, value=value, **more)])

    async def put(self, records: Iterable[Outgoing]) -> None:
        """Publish records as they are."""
        if self.publisher is None:
            self.publisher = await self.bus.publisher()
        await self.publisher.publish(records)

    async def opened(self, container: str, *principals: str, visibility: Visibility = Visibility.PUBLIC) -> None:
        """Say who may open a container: everyone unless principals are named."""
        if principals:
            visibility = Visibility.RESTRICTED
        access = Access(id=container, kind=AccessKind.CONTAINER, visibility=visibility, principals=principals)
        await self.allow(access)

    async def publish_access(self, container: str) -> None:
        """Open a container to everyone, without telling the index."""
        record = Access(id=container, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC)
        await self.publish(topics.ACCESS, container, access_out(record))

    async def allow(self, *records: Access) -> None:
        """Publish access records, and let the index and the gateway know."""
        for one in records:
            await self.publish(topics.ACCESS, one.id, access_out(one))
        await self.parts.access.caught_up()
        await self.grant()

    async def grant(self) -> None:
        """Let the index know who may open what, as the indexer would."""
        if self.grants is None:
            self.grants = GrantsWriter(self.bus, self.search)
            await self.grants.load()
        await self.grants.catch_up()

    async def happens(self, *many: Enriched, index: bool = True, mark: str = "") -> None:
        """Publish activities in order, and index them; ``mark`` is a header such as ``redelivered``."""
        codec = self.codecs.setdefault("enriched", Codec("enriched"))
        await self.put(
            Outgoing(
                topic=topics.ENRICHED.name(self.bus.prefix),
                key=e.activity.id,
                value=codec.encode(enriched_out(e)),
                headers=headers(e.activity) + (((mark, b"1"),) if mark else ()),
                place=e.activity.object.id,
            )
            for e in many
        )
        if index:
            await self.index(*many)

    async def publish_bytes(self, key: str, value: bytes, topic: Topic = topics.ENRICHED) -> None:
        """Publish whatever bytes where activities should be."""
        await self.put([Outgoing(topic=topic.name(self.bus.prefix), key=key, value=value)])

    async def index(self, *many: Enriched) -> None:
        """Write the documents of activities, as the indexer would."""
        access = self.parts.access
        for e in many:
            a = e.activity
            withdrawn = access.withdrawn(a.object.id, a.object.version, a.order)
            await self.search.write(writes(e, withdrawn=withdrawn, restricted=access.restricted(a.object.id)))
        for kind in ("activities", "objects"):
            await self.search.refresh(kind)

    async def get(self, path: str, *, as_: str = "ann", **more: Any) -> ClientResponse:
        """Ask as somebody."""
        params = [("as", as_)] if as_ else []
        params += [(k, v) for k, v in more.pop("params", {}).items()]
        return await self.client.get(path, params=params, **more)

    async def json(self, path: str, *, as_: str = "ann", **more: Any) -> Any:
        """Return the JSON of a good answer."""
        answer = await self.get(path, as_=as_, **more)
        assert answer.status == 200, await answer.text()
        return await answer.json(content_type=None)

    @asynccontextmanager
    async def listening(
        self, *, as_: str = "ann", last: str = "", address: str = "/v1/stream", **params: str
    ) -> AsyncIterator["Listener"]:
        """Read the stream while the block runs."""
        sent = {"Last-Event-ID": last} if last else {}
        asked = ({"as": as_} if as_ else {}) | params
        answer = await self.client.get(address, params=asked, headers=sent)
        assert answer.status == 200, await answer.text()
        listener = Listener(answer)
        reading = asyncio.create_task(listener.read())
        try:
            yield listener
        finally:
            answer.close()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@dataclass
class Listener:
    """What one stream has given."""

    answer: ClientResponse
    events: list[Event] = field(default_factory=list)

    async def read(self) -> None:
        """Read until the stream ends."""
        async for event in blocks(self.answer.content):
            self.events.append(event)

    @property
    def last(self) -> str:
        """The newest id."""
        return next((e.id for e in reversed(self.events) if e.id), "")

    def of(self, kind: str = "message") -> list[Event]:
        """Return the events of a type that carry data."""
        return [e for e in self.events if e.type == kind and e.data]

    async def ended(self, within: float = 5.0) -> None:
        """Wait for the end of the stream."""
        await eventually(self.answer.content.at_eof, what="the stream has ended", within=within, pause=0.005)

    async def until(self, count: int, kind: str = "message", within: float = 5.0) -> list[Event]:
        """Wait for so many events; returns all of that type."""
        await eventually(lambda: len(self.of(kind)) >= count, what=f"{count} events", within=within, pause=0.005)
        return self.of(kind)

    async def begun(self, within: float = 5.0) -> str:
        """Wait for the first id; returns it."""
        await eventually(lambda: self.last, what="the first id", within=within, pause=0.005)
        return self.last


def settings(**changed: Any) -> Settings:
    """Return settings for a gateway that anybody may look at."""
    return Settings(**{"auth": "demo", "gateway_requests_per_minute": 1_000_000, **changed})


@asynccontextmanager
async def world(
    bus: Bus | None = None, search: Search | None = None, *, port: int = 0, **changed: Any
) -> AsyncIterator[World]:
    """Run a gateway; without a log or an index given, over twins."""
    bus = bus or MemoryBus("t.")
    search = search or MemorySearch()
    parts = Parts.make(settings(topic_prefix=bus.prefix, **changed), bus, search)
    await parts.load()
    made: World | None = None
    running = [asyncio.create_task(part) for part in parts.running()]
    try:
        async with TestClient(TestServer(build(parts), port=port or None)) as client:
            made = World(bus, search, parts, client, running)
            yield made
    finally:
        for used in (made.grants, made.publisher) if made else ():
            if used is not None:
                await used.stop()
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
        await parts.stop_reading()
    for error in ended:  # a part that fails ends the service
        if isinstance(error, Exception):
            raise error


def ids(items: Sequence[Any]) -> list[str]:
    """Return the ids of activities."""
    return [item["id"] for item in items]
