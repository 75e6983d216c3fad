"""One walk through a partition of a topic, from its beginning to an offset."""

from collections.abc import AsyncIterator

from services.common.bus import Partition, Reader, Received

_BATCH = 2_000


async def scan(reader: Reader, partition: Partition, end: int, start: int = 0) -> AsyncIterator[Received]:
    """Yield the records of a partition from ``start`` (or the first one kept) up to, not including, offset ``end``."""
    first, last = (await reader.bounds(partition.topic))[partition]
    end = min(end, last)
    if max(first, start) >= end:
        return
    await reader.start_at({partition: max(first, start)})
    while await reader.position(partition) < end:
        for record in await reader.poll(limit=_BATCH, wait=0.2):
            if record.offset < end:
                yield record
