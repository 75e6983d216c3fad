"""Correction: when another person is found behind an account, what it did before counts for that person.

See docs/adr/0006-corrected-identity.md. A consumer group of its own on ``account.v1``. A record after which somebody
else is answered for an account makes it walk ``enriched.v1``; the newest record of each activity that is counted for
the wrong person is published again under its key and partition, a generation higher, with nothing changed but people.
The indexer and scoring take it as any other; live readers, who had it, skip it; ``public.v1`` names no people.

Safe to repeat, and offsets move last: what is right already is left alone. Bounded: 24 bytes of memory for each
activity that may be concerned, and so many a second that what happens now goes on flowing beside it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
from aiolimiter import AsyncLimiter

from services.common import envelope, logs, metrics, topics
from services.common.bus import Bus, Outgoing, Partition, Publisher, Reader, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import REDACTED_GENERATION, Enriched
from services.common.records import enriched_in, enriched_out
from services.enrich.accounts import AccountView, Moved
from services.enrich.draft import Draft
from services.enrich.newest import Newest
from services.enrich.people import People
from services.enrich.pipeline import Knowledge
from services.enrich.redact import behind, members
from services.enrich.scan import scan
from services.enrich.steps.automated import mark_automated
from services.enrich.steps.identity import find_people

_BATCH = 5_000
_AT_ONCE = 250
_PER_SECOND = 1_000.0
_MOST = 50_000
"""Activities of a partition that are published again between two walks through it."""
_MOST_NAMES = 64
"""Names looked for in a record's bytes; with more of them every record is decoded instead."""
_SLICE = 100
"""Records looked into before others get a turn on the event loop."""
_AGAIN_AFTER = 3.0
"""Seconds after which every worker of the durable path has heard of it."""
_OURS = frozenset({envelope.CORRECTED, envelope.FORMERLY, envelope.REDELIVERED})
_SERVICE = "correct"
_log = logs.get(__name__)

Wanted = Callable[[Received], bool]


async def correcting(bus: Bus, accounts: AccountView) -> None:
    """Go on for ever. Raises Retry or Stop when Kafka does not let it."""
    async with members(bus, topics.ACCOUNT, _SERVICE) as (publisher, consumer):
        corrector = Corrector(bus, publisher, accounts)
        while True:
            records = await consumer.poll(limit=_BATCH, wait=1.0)
            if records:
                await corrector.handle(records)
                await consumer.commit(behind(records))


class Corrector:
    """Handles batches of ``account.v1``."""

    def __init__(
        self, bus: Bus, publisher: Publisher, accounts: AccountView, *, per_second: float = _PER_SECOND
    ) -> None:
        self._bus = bus
        self._publisher = publisher
        self._accounts = accounts
        self._pace = AsyncLimiter(per_second, 1)
        self._codec = Codec("enriched")

    async def handle(self, records: Sequence[Received]) -> None:
        """Return once everything is counted for whom the accounts belong to now."""
        await self._accounts.caught_up()
        moved = self._accounts.moved_by(records)
        if moved is not None and not moved:
            return
        topic = topics.ENRICHED.name(self._bus.prefix)
        _log.info("people behind accounts have changed", accounts="all" if moved is None else len(moved))
        reader = await self._bus.reader()
        try:
            ends = {one: await self._correct(reader, one, 0, moved) for one in await reader.bounds(topic)}
            await asyncio.sleep(_AGAIN_AFTER)  # what another worker has enriched meanwhile as it knew the accounts
            for partition, end in ends.items():
                await self._correct(reader, partition, end, moved)
        finally:
            await reader.stop()

    async def _correct(self, reader: Reader, partition: Partition, start: int, moved: Moved | None) -> int:
        """Correct what lies from ``start`` on; returns the end up to which it was looked at."""
        wanted, total, full, end = _wanted(moved), 0, True, start
        while full:
            _, end = (await reader.bounds(partition.topic))[partition]
            newest = Newest()
            async for record in scan(reader, partition, end, start):
                if wanted(record):
                    newest.add(record.key, record.offset, _generation(record))
            ours = await self._republish(reader, partition, newest, moved or {})
            await self._settle(reader, partition, end, ours)
            total, full = total + len(ours), len(ours) >= _MOST
        if total:
            _log.info("corrected", topic=partition.topic, partition=partition.number, activities=total)
        return end

    async def _republish(self, reader: Reader, partition: Partition, newest: Newest, moved: Moved) -> set[str]:
        """Publish those of the newest records again that count for the wrong people, up to ``_MOST``; returns keys."""
        offsets, generations = newest.found()
        ours: set[str] = set()
        batch: list[Outgoing] = []
        at = looked = 0
        async for record in scan(reader, partition, offsets[-1] + 1 if offsets else 0, offsets[0] if offsets else 0):
            if at < len(offsets) and record.offset == offsets[at]:
                batch += self._corrected(record, generations[at], moved)
                looked += 1
                if looked % _SLICE == 0:
                    await asyncio.sleep(0)
            while at < len(offsets) and offsets[at] <= record.offset:
                at += 1
            if len(batch) >= _AT_ONCE or (batch and at == len(offsets)):
                await self._publish(batch)
                ours.update(one.key for one in batch)
                batch = []
            if len(ours) >= _MOST:
                break
        await self._publish(batch)
        return ours.union(one.key for one in batch)

    def _corrected(self, record: Received, generation: int, moved: Moved) -> list[Outgoing]:
        """Return the record with the people that are right now; nothing where they are right, or it cannot be read."""
        if record.value is None:
            return []
        try:
            plain = self._codec.decode(record.value)
            one = enriched_in(plain)
        except (Reject, ValueError) as error:
            _log.error("record of enriched.v1 cannot be read", offset=record.offset, reason=str(error))
            return []
        better = corrected(one, self._accounts.people, moved)
        if better == one:
            return []
        better = replace(better, generation=max(one.generation, generation) + 1)
        gone = envelope.formerly(record.headers).union(people_of(one)).difference(people_of(better))
        headers = (
            *((name, value) for name, value in record.headers.items() if name not in _OURS),
            (envelope.CORRECTED, str(better.generation).encode()),
            (envelope.FORMERLY, orjson.dumps(sorted(gone))),
        )
        return [_again(record, self._codec.encode(enriched_out(better, plain["activity"])), headers)]

    async def _publish(self, records: Sequence[Outgoing]) -> None:
        if records:
            await self._pace.acquire(min(len(records), self._pace.max_rate))
            await self._publisher.publish(records)
            metrics.RECORDS.labels(_SERVICE, _SERVICE, "done").inc(len(records))

    async def _settle(self, reader: Reader, partition: Partition, start: int, ours: set[str]) -> None:
        """Put back on top what came between our reading and our writing and must have the last word.

        That is a redaction or an erasure: behind it, what we read before it must not be the newest.
        """
        between: dict[str, Received] = {}
        waiting = set(ours)
        if waiting:
            await reader.start_at({partition: start})
        while waiting:
            for record in await reader.poll(limit=_BATCH, wait=1.0):
                if envelope.CORRECTED in record.headers:
                    waiting.discard(record.key)
                elif record.key in waiting and (record.value is None or envelope.REDACTED in record.headers):
                    between[record.key] = record
        back = [_again(one, one.value, tuple(one.headers.items())) for one in between.values()]
        if back:
            await self._publisher.publish(back)


def corrected(one: Enriched, people: People, moved: Moved) -> Enriched:
    """Return the activity with the people that are behind its accounts now; all else as it is.

    Of a mention only the person is stored, not by which account he was meant: it follows a moved account that the
    activity names, or whose person is the one mentioned.
    """
    draft = Draft(one.activity)
    knowledge = Knowledge(people=people)
    mark_automated(draft, knowledge)
    find_people(draft, knowledge)
    named = {person: account for account, person in moved.items() if account in one.activity.mentions}
    mentioned = dict.fromkeys(people.person_of_id(named.get(person, person)) for person in one.mention_people)
    return replace(
        one,
        person=draft.person,
        coauthor_people=draft.coauthor_people,
        mention_people=tuple(person for person in mentioned if person and person != draft.person),
        automated=draft.automated,
    )


def people_of(one: Enriched) -> set[str]:
    """Return everybody whom an activity is counted for."""
    return {person for person in (one.person, *one.coauthor_people) if person}


def _wanted(moved: Moved | None) -> Wanted:
    """Return the test for records that may have to be corrected, or that say that an older one may not be.

    Ids stand in Avro as they are, so that a record without them need not be decoded.
    """
    names = None if moved is None else {one.encode() for pair in moved.items() for one in pair if one}
    if names is None or len(names) > _MOST_NAMES:
        return lambda _: True
    return lambda record: (
        record.value is None or envelope.REDACTED in record.headers or any(name in record.value for name in names)
    )


def _generation(record: Received) -> int:
    lowest = REDACTED_GENERATION if envelope.REDACTED in record.headers else 0
    return max(lowest, int(record.headers.get(envelope.CORRECTED, b"0")))


def _again(record: Received, value: bytes | None, headers: envelope.Headers) -> Outgoing:
    return Outgoing(
        topic=record.partition.topic,
        key=record.key,
        value=value,
        headers=headers,
        partition=record.partition.number,
    )
