"""Following a topic and printing what is in it."""

from collections.abc import Mapping

import click

from services.common.bus import Bus, Partition, Reader, Received
from services.common.commands.records import readable, without_empty
from services.common.commands.shared import dump, harmless
from services.common.envelope import rfc3339
from services.common.topics import Topic

_BATCH = 500


class Tail:
    """Prints a topic's records. ``limit`` None goes on for ever, or to the present end with ``to_end``."""

    def __init__(self, bus: Bus, topic: Topic, *, json: bool, limit: int | None, to_end: bool) -> None:
        self._bus = bus
        self._topic = topic
        self._json = json
        self._limit = limit
        self._to_end = to_end
        self._printed = 0

    async def run(self, *, from_beginning: bool) -> None:
        """Print until the limit, the end, or Ctrl-C."""
        reader = await self._bus.reader()
        try:
            bounds = await reader.bounds(self._topic.name(self._bus.prefix))
            ends = {p: end for p, (_, end) in bounds.items()}
            if from_beginning:
                await reader.start_at({p: first for p, (first, _) in bounds.items()})
                await self._print(reader, ends)
            elif self._limit is not None:
                self._show(await self._newest(reader, bounds))
            else:
                await reader.start_at(ends)
                await self._print(reader, ends)
        finally:
            await reader.stop()

    async def _print(self, reader: Reader, ends: Mapping[Partition, int]) -> None:
        while not self._full() and not (self._to_end and await _reached(reader, ends)):
            records = await reader.poll(limit=_BATCH, wait=0.5)
            self._show([one for one in records if not self._to_end or one.offset < ends[one.partition]])

    async def _newest(self, reader: Reader, bounds: Mapping[Partition, tuple[int, int]]) -> list[Received]:
        ends = {p: end for p, (_, end) in bounds.items()}
        count = self._limit or 0
        await reader.start_at({p: max(first, end - count) for p, (first, end) in bounds.items()})
        found: list[Received] = []
        while not await _reached(reader, ends):
            found += await reader.poll(limit=_BATCH, wait=0.5)
        before = [one for one in found if one.offset < ends[one.partition]]
        return sorted(before, key=lambda one: (one.timestamp, one.partition, one.offset))[-count:]

    def _full(self) -> bool:
        return self._limit is not None and self._printed >= self._limit

    def _show(self, records: list[Received]) -> None:
        for record in records:
            if self._full():
                return
            click.echo(self._line(record))
            self._printed += 1

    def _line(self, record: Received) -> str:
        shown = readable(self._topic, record)
        if self._json:
            return dump(shown)
        place = f"{record.partition.number}@{record.offset}"
        head = click.style(f"{rfc3339(shown['timestamp'])}  {place}  {harmless(record.key)}", bold=True)
        if "unreadable" in shown:
            return f"{head}\n{click.style('cannot be read: ' + shown['unreadable'], fg='red')}\n"
        if record.value is None:
            return f"{head}\n(tombstone)\n"
        return f"{head}\n{dump(without_empty(shown['value']), indent=True)}\n"


async def _reached(reader: Reader, ends: Mapping[Partition, int]) -> bool:
    for partition, end in ends.items():
        if await reader.position(partition) < end:
            return False
    return True
