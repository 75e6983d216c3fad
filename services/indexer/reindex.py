"""A new index from the log, while the old one serves; then the aliases change over in one step.

Nothing is lost at the hand-over: the live indexer writes through the aliases, into the old index until they change. So
after the change the rebuilding goes on to the end that the log had then. What the live indexer erased meanwhile might
have been written again by that; therefore it goes on once more, to the end the log had when the first round was done.

Who may open what goes the same way, from ``access.v1``: the new grants are brought up to date right before and right
after the change.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b

from services.common import topics
from services.common.access import AccessView
from services.common.bus import Bus, Partition, Reader, Received
from services.common.errors import Reject, Stop
from services.common.search import Kind
from services.common.search.elastic import ElasticSearch
from services.indexer.access_consumer import GrantsWriter
from services.indexer.records import Records
from services.indexer.writer import Entry, Limits, Made, Writer

REBUILT: tuple[Kind, ...] = ("activities", "objects", "grants")
_CLOSE = 2_000
"""Records behind the end of the log that are few enough to change over."""
_ROUNDS = 5
"""After so many times to the end, a log that grows as fast as we write is not waited for."""
_POLL = 2_000
Progress = Callable[[int, int], None]
"""Told how many records were read of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a rebuilding came to."""

    old: Mapping[Kind, str]
    new: Mapping[Kind, str]
    records: int
    distinct: int
    documents: int
    before: int
    unreadable: int


class _Refusing:
    """Letters that accept none: what the old index took, the new one must take."""

    async def put(self, origin: Received, error: Exception, *, attempt: int) -> None:
        where = f"{origin.partition.topic}, partition {origin.partition.number}, offset {origin.offset}"
        raise Stop(f"the new index does not take {origin.key!r} ({where}): {error}; nothing was changed")

    def good(self, count: int) -> None:
        return


class Ids:
    """Counts distinct activities: eight bytes of a hash each, so that a year fits into memory."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._seen: set[bytes] = set()
        self.unreadable = 0

    def made(self, record: Received) -> Made:
        """Return the writes of a record, none for one that cannot be read (it was put aside when it arrived)."""
        try:
            made = self._records.made(record)
        except Reject:
            self.unreadable += 1
            return Made(writes=())
        for write in made.writes:
            if write.kind == "activities":
                known = blake2b(write.id.encode(), digest_size=8).digest()
                (self._seen.discard if write.document is None else self._seen.add)(known)
        return Made(writes=made.writes)  # how fresh it was when it was taken in is no measure of rebuilding

    def __len__(self) -> int:
        return len(self._seen)


class Rebuilding:
    """One run, of ``fill`` and then ``hand_over``."""

    def __init__(
        self,
        reader: Reader,
        topic: str,
        search: ElasticSearch,
        new: Mapping[Kind, str],
        *,
        writer: Writer,
        grants: GrantsWriter,
        ids: Ids,
    ) -> None:
        self._reader = reader
        self._topic = topic
        self._grants = grants
        self._search = search
        self._filled = search.into(new)
        self._new = new
        self._writer = writer
        self._ids = ids
        self._read = 0

    async def fill(self, progress: Progress) -> None:
        """Write the log from its beginning until its end is near, and compare."""
        await self._grants.load()
        bounds = await self._reader.bounds(self._topic)
        await self._reader.start_at({p: first for p, (first, _) in bounds.items()})
        for _ in range(_ROUNDS):
            await self._read_to(await self._ends(), progress)
            if await self._behind(await self._ends()) <= _CLOSE:
                break
        await self._compare()

    async def _compare(self) -> None:
        await self._filled.refresh("activities")
        found = await self._filled.count("activities")
        if found != len(self._ids):
            raise Stop(
                f"the new index has {found} activities, the log {len(self._ids)} distinct ones; nothing was changed,"
                " please report it"
            )

    async def hand_over(self, progress: Progress) -> Report:
        """Change the aliases over, catch up, and return what came of it."""
        old = {kind: await self._search.indices.current(kind) for kind in REBUILT}
        before = await self._search.count("activities")
        await self._grants.catch_up()
        await self._search.indices.swap(self._new)
        await self._grants.catch_up()
        for _ in range(2):
            await self._read_to(await self._ends(), progress)
        await self._filled.refresh("activities")
        return Report(
            old=old,
            new=self._new,
            records=self._read,
            distinct=len(self._ids),
            documents=await self._filled.count("activities"),
            before=before,
            unreadable=self._ids.unreadable,
        )

    async def _ends(self) -> dict[Partition, int]:
        return {p: end for p, (_, end) in (await self._reader.bounds(self._topic)).items()}

    async def _behind(self, ends: Mapping[Partition, int]) -> int:
        return sum([max(0, end - await self._reader.position(p)) for p, end in ends.items()])

    async def _read_to(self, ends: Mapping[Partition, int], progress: Progress) -> None:
        """Write all records up to these ends, and return when the index has them."""
        while (left := await self._behind(ends)) > 0:
            progress(self._read, self._read + left)
            await self._make_room()
            for record in await self._reader.poll(limit=min(_POLL, self._writer.room), wait=0.5):
                self._writer.add(Entry(record=record, done=_nothing))
                self._read += 1
            self._writer.pump()
        await self._writer.finish()
        progress(self._read, self._read)

    async def _make_room(self) -> None:
        while self._writer.room <= 0:
            self._writer.pump()
            await self._writer.drain(0.1)
            if self._writer.failure is not None:
                raise self._writer.failure


def _nothing() -> None:
    return


@asynccontextmanager
async def rebuilding(bus: Bus, search: ElasticSearch, *, limits: Limits | None = None) -> AsyncIterator[Rebuilding]:
    """Make new indices to be filled. Those that no alias points to in the end are deleted."""
    async with AsyncExitStack() as stack:
        new: dict[Kind, str] = {}
        stack.push_async_callback(_tidy, search, new)
        reader, access = await bus.reader(), AccessView(bus)
        stack.push_async_callback(reader.stop)
        stack.push_async_callback(access.stop)
        for kind in REBUILT:
            new[kind] = await search.indices.new(kind)
        ids, filled = Ids(Records(access)), search.into(new)
        grants = GrantsWriter(bus, filled)
        stack.push_async_callback(grants.stop)
        await access.load()
        following = asyncio.create_task(access.follow())
        stack.push_async_callback(_ended, following)
        writer = Writer(filled, ids.made, _Refusing(), before=access.caught_up, limits=limits)
        stack.push_async_callback(writer.stop)
        yield Rebuilding(reader, topics.ENRICHED.name(bus.prefix), search, new, writer=writer, grants=grants, ids=ids)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _tidy(search: ElasticSearch, new: Mapping[Kind, str]) -> None:
    """Delete those of the new indices that serve nobody."""
    for kind, index in new.items():
        if await search.indices.current(kind) != index:
            await search.indices.delete(index)
