"""What lies in the dead-letter topic: letters, and the marks of those that are settled.

The topic cannot forget a single record, so a settled letter is marked: a tombstone in its partition, under its key,
with the header ``settles`` naming its offset. Marks come after their letters, so retention never takes a mark first.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from services.common import topics
from services.common.bus import Bus, Outgoing, Partition, Publisher, Reader, Received
from services.common.codec import Codec
from services.common.errors import Reject, Stop

SETTLES = "settles"
HOW = "how"
How = Literal["replayed", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A record that was given up. ``id`` is its own place among the dead letters: partition and offset."""

    partition: Partition
    offset: int
    key: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        """``<partition>-<offset>``."""
        return f"{self.partition.number}-{self.offset}"

    @property
    def origin(self) -> str:
        """Where it was read from: ``<topic> <partition>@<offset>``, or the source's name."""
        body = self.body
        if body["partition"] < 0:
            return f"source {body['topic']}"
        return f"{body['topic']} {body['partition']}@{body['offset']}"


async def unsettled(bus: Bus) -> list[Letter]:
    """Return the letters that were neither replayed nor dropped, oldest first."""
    codec = Codec("deadletter")
    letters: dict[tuple[int, int], Letter] = {}
    async for record in _all(bus, topics.DEADLETTER.name(bus.prefix)):
        number = record.partition.number
        if settled := record.headers.get(SETTLES):
            letters.pop((number, int(settled)), None)
        elif record.value is not None:
            letters[number, record.offset] = Letter(
                partition=record.partition, offset=record.offset, key=record.key, body=_body(codec, record)
            )
    return sorted(letters.values(), key=lambda one: (one.body["at"], one.partition, one.offset))


def _body(codec: Codec, record: Received) -> Mapping[str, Any]:
    try:
        return codec.decode(record.value or b"")
    except Reject as error:
        return {
            "service": "unknown",
            "error": "NotALetter",
            "reason": str(error),
            "topic": "unknown",
            "partition": -1,
            "offset": -1,
            "key": record.key.encode(),
            "value": record.value,
            "headers": record.headers,
            "attempt": 0,
            "at": datetime.fromtimestamp(record.timestamp / 1000, UTC),
        }


async def _all(bus: Bus, topic: str) -> AsyncIterator[Received]:
    reader = await bus.reader()
    try:
        bounds = await reader.bounds(topic)
        await reader.start_at({p: first for p, (first, _) in bounds.items()})
        while not await _at(reader, {p: end for p, (_, end) in bounds.items()}):
            for record in await reader.poll(limit=500, wait=0.5):
                yield record
    finally:
        await reader.stop()


async def _at(reader: Reader, ends: Mapping[Partition, int]) -> bool:
    for partition, end in ends.items():
        if await reader.position(partition) < end:
            return False
    return True


async def original(bus: Bus, letter: Letter) -> Outgoing:
    """Return the record to be published again. Raises Stop when there is none any more."""
    body = letter.body
    if body["partition"] < 0:
        raise Stop(
            f"letter {letter.id} came from {letter.origin} and never lay in a topic: mend the cause and let the source"
            " be read again, then `watercooler dlq drop` it"
        )
    if body["value"] is not None:
        key = (body["key"] or b"").decode(errors="replace")
        value, headers = body["value"], tuple(body["headers"].items())
    else:
        record = await _fetch(bus, Partition(body["topic"], body["partition"]), body["offset"], letter.id)
        key, value, headers = record.key, record.value, tuple(record.headers.items())
    return Outgoing(topic=body["topic"], key=key, value=value, headers=headers, partition=body["partition"])


async def _fetch(bus: Bus, partition: Partition, offset: int, id_: str) -> Received:
    reader = await bus.reader()
    try:
        first, end = (await reader.bounds(partition.topic))[partition]
        found: Sequence[Received] = ()
        if first <= offset < end:
            await reader.start_at({partition: offset})
            while not found and await reader.position(partition) < end:
                found = await reader.poll(limit=1, wait=0.5)
        if not found or found[0].offset != offset:
            raise Stop(
                f"letter {id_} carries no bytes and {partition.topic} {partition.number}@{offset} is no longer kept"
            )
        return found[0]
    finally:
        await reader.stop()


async def settle(bus: Bus, publisher: Publisher, letters: Sequence[Letter], how: How) -> None:
    """Mark letters, so that they are not listed again."""
    topic = topics.DEADLETTER.name(bus.prefix)
    await publisher.publish(
        Outgoing(
            topic=topic,
            key=letter.key,
            value=None,
            partition=letter.partition.number,
            headers=((SETTLES, str(letter.offset).encode()), (HOW, how.encode())),
        )
        for letter in letters
    )
