"""A source that does what a test tells it to, and ingest over a log in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from services.common.access import AccessView
from services.common.bus import Bus, Outgoing, Publisher, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.deadletters import DeadLetters, Flood
from services.common.model import (
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Method,
    Object,
    Provenance,
    Visibility,
)
from services.common.topics import Topic
from services.ingest.connector import Batch, Connector, nothing
from services.ingest.cursors import Cursors
from services.ingest.intake import Intake
from services.ingest.introductions import Introductions

START = datetime(2026, 3, 1, tzinfo=UTC)
ROOM = Container(id="fake:room", type="Channel", name="room")
PREFIX = "t."


def activity(number: int, method: Method = Method.POLL, **object_changes: object) -> Activity:
    """Return the activity of that number: always the same one, by whatever method."""
    thing = Object(id=f"fake:note/{number}", type="Note", content=f"note {number}", version="1")
    return Activity(
        id=f"fake:note/{number}@1#chat.message",
        type=ActivityType.CREATE,
        verb="chat.message",
        published=START + timedelta(seconds=number),
        actor=Account(id="fake:ann", name="Ann"),
        object=replace(thing, **object_changes),  # type: ignore[arg-type]
        context=(ROOM,),
        audience=Audience(visibility=Visibility.PUBLIC, container=ROOM.id),
        provenance=Provenance(source="fake", method=method),
    )


def gone(number: int) -> Activity:
    """Return the deletion of that activity's object, a minute after."""
    said = activity(number)
    return replace(
        said,
        id=f"fake:note/{number}#chat.delete",
        type=ActivityType.DELETE,
        verb="chat.delete",
        published=said.published + timedelta(minutes=1),
        object=Object(id=said.object.id, type="Tombstone"),
        withdraws=("*",),
    )


class Log:
    """What is in the log, decoded."""

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus

    async def records(self, topic: Topic) -> list[Received]:
        """Return all records of a topic."""
        reader = await self.bus.reader()
        bounds = await reader.bounds(topic.name(self.bus.prefix))
        await reader.start_at(dict.fromkeys(bounds, 0))
        wanted = sum(end for _, end in bounds.values())
        found: list[Received] = []
        while len(found) < wanted:
            found += await reader.poll(limit=1_000, wait=0)
        return found

    async def values(self, topic: Topic) -> list[dict[str, object]]:
        """Return the decoded values of a topic."""
        codec = Codec(topic.schema)
        return [codec.decode(record.value) for record in await self.records(topic) if record.value is not None]


@dataclass
class Watched:
    """A publisher that notes the order, and fails when told to."""

    inner: Publisher
    order: list[Outgoing] = field(default_factory=list)
    failure: Callable[[Sequence[Outgoing]], Exception | None] = lambda _: None

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Publish, or fail."""
        several = list(records)
        if error := self.failure(several):
            raise error
        await self.inner.publish(several)
        self.order += several

    async def stop(self) -> None:
        """Stop."""
        await self.inner.stop()


@dataclass
class Ground:
    """Ingest over a log in memory."""

    bus: MemoryBus
    publisher: Watched
    access: AccessView
    intake: Intake
    cursors: Cursors
    log: Log
    letters: Callable[[str], DeadLetters]


async def ground(bus: MemoryBus | None = None) -> Ground:
    """Return a new ingest; over the same log it is a restart."""
    bus = bus or MemoryBus(PREFIX)
    publisher = Watched(await bus.publisher())
    access = await _loaded(bus)
    introductions = Introductions(bus)
    await introductions.load()
    cursors = Cursors(bus, publisher)
    await cursors.load()

    @cache
    def letters(_: str) -> DeadLetters:
        return DeadLetters(publisher, "ingest", prefix=PREFIX, flood=Flood(in_a_row=10))

    intake = Intake(publisher, access, cursors, introductions, letters, prefix=PREFIX)
    return Ground(bus, publisher, access, intake, cursors, Log(bus), letters)


async def _loaded(bus: Bus) -> AccessView:
    access = AccessView(bus)
    await access.load()
    return access


class FakeSource:
    """A connector whose past and news are lists of batches. ``trouble`` maps a way to errors raised one by one."""

    def __init__(self, past: Sequence[Batch] = (), news: Sequence[Batch] = ()) -> None:
        self.past = past
        self.news = news
        self.back: Sequence[Batch] = ()
        self.trouble: dict[str, list[Exception]] = {}
        self.asked: list[tuple[str, str]] = []
        self.opened = 0

    def _ask(self, way: str, cursor: str = "") -> None:
        self.asked.append((way, cursor))
        if self.trouble.get(way):
            raise self.trouble[way].pop(0)

    async def discover(self) -> Sequence[Container]:
        self._ask("discover")
        return (ROOM,)

    async def access(self, container: Container) -> Access:
        return Access(id=container.id, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC, name=container.name)

    async def accounts(self) -> Sequence[Account]:
        return (Account(id="fake:ann", name="Ann"),)

    async def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        self._ask("backfill", cursor)
        for batch in self.past[int(cursor or 0) :]:
            yield batch
            self._ask("backfill more")

    async def live(self, cursor: str) -> AsyncIterator[Batch]:
        self._ask("live", cursor)
        for batch in self.news[int(cursor or 0) :]:
            yield batch
        await asyncio.Event().wait()

    def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        self._ask("reconcile")
        return _each(self.back) if self.back else nothing()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Connector]:
        """Open it, as a worker does."""
        self._ask("open")
        self.opened += 1
        yield self


async def _each(batches: Sequence[Batch]) -> AsyncIterator[Batch]:
    for batch in batches:
        yield batch


def batches(numbers: Iterable[int], method: Method, size: int = 2) -> list[Batch]:
    """Return batches whose cursor is how many there have been."""
    all_ = [activity(number, method) for number in numbers]
    starts = range(0, len(all_), size)
    return [Batch(activities=all_[n : n + size], cursor=str(n // size + 1)) for n in starts]
