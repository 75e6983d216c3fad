"""Retraction: what is no longer for everyone is followed by a Delete in ``public.v1``.

A consumer group of its own on ``access.v1``. A container that is not (or no more) open to everyone, or an object that
is restricted by itself, makes it walk ``public.v1``, by header alone; each object found there whose newest record is
not a Delete gets one. A worker of the durable path may not have heard of it at that moment, so the walk is repeated
once from where it ended. (A Delete at the source needs no walk: the durable path forwards it.)
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.common import envelope, logs, topics
from services.common.access import EVERYONE, AccessView
from services.common.bus import Bus, Outgoing, Partition, Publisher, Received
from services.common.clock import now
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import AccessKind, Account, AccountType, Activity, ActivityType
from services.common.records import activity_in, activity_out
from services.enrich.redact import behind, in_parts, members
from services.enrich.scan import scan
from services.enrich.work import CONTAINER, container_header, public_delete

_BATCH = 5_000
_AGAIN_AFTER = 3.0
"""Seconds after which every worker has heard of it."""
_US = Account(id="watercooler", type=AccountType.SERVICE, name="Watercooler")
_log = logs.get(__name__)


async def retracting(bus: Bus, access: AccessView) -> None:
    """Go on for ever. Raises Retry or Stop when Kafka does not let it."""
    async with members(bus, topics.ACCESS, "retract") as (publisher, consumer):
        retractor = Retractor(bus, publisher, access)
        while True:
            records = await consumer.poll(limit=_BATCH, wait=1.0)
            if records:
                await access.caught_up()
                await retractor.handle([record.key for record in records])
                await consumer.commit(behind(records))


class Retractor:
    """Finds and follows up what is no longer for everyone."""

    def __init__(self, bus: Bus, publisher: Publisher, access: AccessView, again_after: float = _AGAIN_AFTER) -> None:
        self._bus = bus
        self._publisher = publisher
        self._access = access
        self._again_after = again_after
        self._codec = Codec("activity")

    async def handle(self, ids: Sequence[str]) -> None:
        """Return once nothing in ``public.v1`` belongs to those of the ids that are closed now."""
        containers = frozenset(one for one in ids if self._closed(one))
        objects = frozenset(one for one in ids if self._access.restricted(one))
        if not containers and not objects:
            return
        ends = await self._retract(containers, objects, {})
        await asyncio.sleep(self._again_after)
        await self._retract(containers, objects, ends)

    def _closed(self, id_: str) -> bool:
        record = self._access.get(id_)
        of_object = record is not None and record.kind is AccessKind.OBJECT
        return not of_object and not self._access.may_open((EVERYONE,), id_)

    async def _retract(
        self, containers: frozenset[str], objects: frozenset[str], starts: dict[int, int]
    ) -> dict[int, int]:
        topic, ends = topics.PUBLIC.name(self._bus.prefix), dict[int, int]()
        reader = await self._bus.reader()
        try:
            for partition, (_, end) in (await reader.bounds(topic)).items():
                deletes: dict[str, Outgoing] = {}
                async for record in scan(reader, partition, end, starts.get(partition.number, 0)):
                    if record.headers.get(CONTAINER, b"").decode() in containers or record.key in objects:
                        await self._note(deletes, record)
                await self._follow_up(partition, list(deletes.values()))
                ends[partition.number] = end
        finally:
            await reader.stop()
        return ends

    async def _note(self, deletes: dict[str, Outgoing], record: Received) -> None:
        """Note the Delete that a record calls for, instead of the one before: it is small, where the record is not."""
        delete = self._delete(record)
        deletes.pop(record.key, None)
        if delete is not None:
            deletes[record.key] = delete
        await asyncio.sleep(0)

    async def _follow_up(self, partition: Partition, deletes: Sequence[Outgoing]) -> None:
        if deletes:
            await in_parts(self._publisher, deletes)
            _log.info("retracted", topic=partition.topic, partition=partition.number, objects=len(deletes))

    def _delete(self, record: Received) -> Outgoing | None:
        try:
            last = activity_in(self._codec.decode(record.value or b""))
        except (Reject, ValueError) as error:
            _log.error("record of public.v1 cannot be read", offset=record.offset, reason=str(error))
            return None
        if last.type is ActivityType.DELETE:
            return None
        gone = _retraction(last)
        return Outgoing(
            topic=record.partition.topic,
            key=record.key,
            value=self._codec.encode(activity_out(gone)),
            headers=(*envelope.headers(gone), *container_header(gone.audience.container)),
            partition=record.partition.number,
        )


def _retraction(last: Activity) -> Activity:
    at = now()
    gone = replace(public_delete(last), id=f"{last.object.id}#public.retract", verb="public.retract", actor=_US)
    return replace(gone, published=at, recorded=at, coauthors=())
