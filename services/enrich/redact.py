"""Redaction: what its source has withdrawn is published again without its content (docs/adr/0001-withdrawal.md).

A consumer group of its own on ``activity.v1``. An activity with ``withdraws`` makes it walk that partition once, by
header alone, up to the withdrawal; each earlier activity of the object that still carries withdrawn text is published
again under its key and partition, without it. All withdrawals of a batch share the walk. An activity with withdrawn
text that comes after the withdrawal (a late backfill) is published again at once. Everything is safe to repeat: what
was redacted already is left alone, and offsets move last.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.common import envelope, logs, metrics, topics
from services.common.access import AccessState
from services.common.bus import Bus, Consumer, Outgoing, Partition, Publisher, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EVERY_VERSION, Activity
from services.common.records import activity_in, activity_out
from services.common.topics import Topic
from services.common.withdrawal import without_content
from services.enrich.scan import scan

_BATCH = 1_000
_SERVICE = "redact"
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Versions of an object that its source has withdrawn, as an activity at an offset said."""

    object: str
    versions: frozenset[str]
    order: int
    offset: int

    def covers(self, activity: Activity) -> bool:
        """Return whether the activity carries what was withdrawn."""
        if activity.object.id != self.object or activity.withdraws:
            return False
        if EVERY_VERSION in self.versions:
            return activity.order <= self.order
        return activity.object.version in self.versions


async def redacting(bus: Bus, access: AccessState) -> None:
    """Go on for ever. Raises Retry or Stop when Kafka does not let it."""
    async with members(bus, topics.ACTIVITY, "redact") as (publisher, consumer):
        redactor = Redactor(bus, publisher, access)
        while True:
            records = await consumer.poll(limit=_BATCH, wait=1.0)
            if records:
                await redactor.handle(records)
                await consumer.commit(behind(records))


@asynccontextmanager
async def members(bus: Bus, topic: Topic, name: str) -> AsyncIterator[tuple[Publisher, Consumer]]:
    """A publisher, and a consumer of a topic in the group of this name; closed at the end, however it comes."""
    publisher = await bus.publisher()
    try:
        consumer = await bus.consumer([topic.name(bus.prefix)], bus.prefix + name)
        try:
            yield publisher, consumer
        finally:
            await consumer.stop()
    finally:
        await publisher.stop()


def behind(records: Iterable[Received]) -> dict[Partition, int]:
    """Return the offset of the next record to read, per partition."""
    return {record.partition: record.offset + 1 for record in records}


async def in_parts(publisher: Publisher, records: Sequence[Outgoing]) -> None:
    """Publish however many there are: a publisher's patience is for what it is given at once."""
    for start in range(0, len(records), _BATCH):
        await publisher.publish(records[start : start + _BATCH])


class Redactor:
    """Handles batches of ``activity.v1``."""

    def __init__(self, bus: Bus, publisher: Publisher, access: AccessState) -> None:
        self._bus = bus
        self._publisher = publisher
        self._access = access
        self._codec = Codec("activity")

    async def handle(self, records: Sequence[Received]) -> None:
        """Return once everything that the batch withdraws, or brings in spite of a withdrawal, is redacted."""
        withdrawals, late = await asyncio.to_thread(self._sort, records)
        await self._publish(late)
        for partition, some in withdrawals.items():
            await self._redact(partition, some)

    def _sort(
        self, records: Sequence[Received]
    ) -> tuple[Mapping[Partition, list[Withdrawal]], list[tuple[Received, Activity]]]:
        withdrawals: dict[Partition, list[Withdrawal]] = {}
        late = []
        for record in records:
            activity = self._decoded(record) if self._matters(record) else None
            if activity is None:
                continue
            if activity.withdraws:
                one = Withdrawal(activity.object.id, frozenset(activity.withdraws), activity.order, record.offset)
                withdrawals.setdefault(record.partition, []).append(one)
            elif self._access.withdrawn(activity.object.id, activity.object.version, activity.order):
                late.append((record, activity))
        return withdrawals, late

    def _matters(self, record: Received) -> bool:
        """Return whether a record has to be looked into, by its headers alone: nearly none has to."""
        subject = record.headers.get("ce_subject")
        if envelope.REDACTED in record.headers:
            return False
        return (
            subject is None
            or envelope.WITHDRAWS in record.headers
            or self._access.get(subject.decode(errors="replace")) is not None
        )

    def _decoded(self, record: Received) -> Activity | None:
        """Return the activity, or None where there is none; what cannot be read is the durable path's to put aside."""
        try:
            return None if record.value is None else activity_in(self._codec.decode(record.value))
        except Reject:
            return None

    async def _redact(self, partition: Partition, withdrawals: Sequence[Withdrawal]) -> None:
        subjects = {one.object.encode() for one in withdrawals}
        newest: dict[str, Received] = {}
        reader = await self._bus.reader()
        try:
            async for record in scan(reader, partition, max(one.offset for one in withdrawals)):
                if record.headers.get("ce_subject") in subjects:
                    newest[record.key] = record
        finally:
            await reader.stop()
        found = ((record, self._decoded(record)) for record in newest.values() if not _done(record))
        covered = [
            (record, activity)
            for record, activity in found
            if activity is not None and any(one.covers(activity) for one in withdrawals)
        ]
        await self._publish(covered)
        _log.info("redacted", topic=partition.topic, partition=partition.number, activities=len(covered))

    async def _publish(self, activities: Sequence[tuple[Received, Activity]]) -> None:
        if activities:
            await in_parts(self._publisher, [self._redacted(*one) for one in activities])
            metrics.RECORDS.labels(_SERVICE, "redact", "done").inc(len(activities))

    def _redacted(self, record: Received, activity: Activity) -> Outgoing:
        bare = without_content(activity)
        return Outgoing(
            topic=record.partition.topic,
            key=record.key,
            value=self._codec.encode(activity_out(bare)),
            headers=(
                *envelope.headers(bare),
                (envelope.FINGERPRINT, envelope.fingerprint(bare).encode()),
                (envelope.REDACTED, b"1"),
            ),
            partition=record.partition.number,
        )


def _done(record: Received) -> bool:
    return envelope.REDACTED in record.headers
