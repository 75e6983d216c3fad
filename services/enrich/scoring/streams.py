"""The safe way through a Faust stream, the same for every agent.

Measured traps of Faust 0.15.3, and what is done here instead:

* an exception in an agent, or its cancellation while it works on a batch, acknowledges the events: so events are taken
  without acknowledgement and acknowledged by hand, after the effect is stored;
* a send that Kafka rejects is only logged while offsets move on: so nothing is sent through Faust. Records go out
through
  our publisher, which returns when they are stored and raises when not;
* what cannot be processed goes to the dead letters; when Kafka fails, the app ends with its offset unmoved.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from services.common import logs, metrics
from services.common.bus import Outgoing, Partition, Publisher, Received, Unpublished
from services.common.deadletters import DeadLetters
from services.common.errors import Reject, Stop, WatercoolerError
from services.enrich.lane import ORDINARY

SERVICE = "score"
BATCH = 1_000
WITHIN = 0.05
"""Seconds that a batch is waited for: two streams in a row must stay far below a second."""
UNHURRIED = 1.0
"""Seconds where nobody waits for what follows."""
_SETTLED_WITHIN = 5.0
"""Seconds; the group waits for as long as a session lasts (15 s)."""
_NOTHING = Received(partition=Partition("", 0), offset=-1, key="", value=None, headers={}, timestamp=0)
"""What a record that follows from no record is said to come from."""
_log = logs.get(__name__)


class Stream(Protocol):
    """What one stream does with its records. Nothing here touches Kafka's offsets."""

    turn: asyncio.Lock
    """Held from working on a batch until what follows from it is stored."""
    within: float
    """Seconds that a batch is waited for."""

    async def ready(self, records: Sequence[Received]) -> None:
        """Return once what the records need is there."""

    def work(self, record: Received) -> list[Outgoing]:
        """Return what to publish for one record; raises Reject when it cannot be processed. Runs in the thread."""

    def end(self) -> list[Outgoing]:
        """Return what to publish after a batch. Runs in the thread."""


@dataclass(slots=True)
class Failure:
    """The first error that must end the app."""

    _error: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def set(self, error: BaseException) -> None:
        """Keep an error."""
        if not self._error.done():
            self._error.set_exception(error)

    async def raised(self) -> None:
        """Wait for it, for ever if need be, and raise it."""
        await self._error


@dataclass(slots=True)
class Dealing:
    """How often partitions were dealt anew, and which are this worker's: what was overtaken by that counts no more."""

    mine: Callable[[], Collection[Partition]]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Tools:
    """What all streams share; ``executor`` has one thread. ``positions``: offset of the next record, per partition."""

    publisher: Publisher
    letters: DeadLetters
    executor: Executor
    failure: Failure
    dealing: Dealing
    positions: dict[Partition, int] = field(default_factory=dict)


async def safely(events: Any, stream: Stream, tools: Tools) -> None:
    """Handle a Faust stream's events in batches, for ever."""
    async for taken in events.noack_take(BATCH, within=stream.within):
        number, mine = tools.dealing.number, tools.dealing.mine()
        batch = [event for event in taken if Partition(event.message.topic, event.message.partition) in mine]
        try:
            if batch:
                await handle([received(event) for event in batch], stream, tools)
        except Exception as error:
            # Neither ack nor return nor raise: each of them would let the offset move on.
            tools.failure.set(error if isinstance(error, WatercoolerError) else Stop(_mistake(stream, error)))
            _log.exception("scoring has to stop")
            await asyncio.Event().wait()
        if number != tools.dealing.number:
            continue  # what was dealt anew meanwhile is given again, to whom it belongs now
        for event in batch:
            await events.ack(event)
            tools.positions[Partition(event.message.topic, event.message.partition)] = event.message.offset + 1


async def handle(records: Sequence[Received], stream: Stream, tools: Tools) -> None:
    """Return once everything that follows from the records is stored, or put aside; nothing is when a rebalance comes.

    Without records, what the stream has to say by itself is stored.
    """
    number = tools.dealing.number
    await stream.ready(records)
    async with stream.turn:
        loop = asyncio.get_running_loop()
        outgoing, rejected = await loop.run_in_executor(tools.executor, _work, records, stream)
        if number != tools.dealing.number:
            return
        for record, error in rejected:
            await tools.letters.put(record, error)
        await _publish(outgoing, records[-1] if records else _NOTHING, tools)
    tools.letters.good(len(records) - len(rejected))
    metrics.RECORDS.labels(SERVICE, type(stream).__name__.lower(), "done").inc(len(records) - len(rejected))


async def settled(streams: Sequence[Stream]) -> None:
    """Return once what they are storing is stored: who is given their partitions next reads it back, and else would
    say it again. What takes longer than the group waits for is left alone: a repetition is harmless."""
    try:
        async with asyncio.timeout(_SETTLED_WITHIN):
            for stream in streams:
                async with stream.turn:
                    pass
    except TimeoutError:
        _log.warning("partitions are given away while something is still being stored; some of it may be said twice")


def _work(
    records: Sequence[Received], stream: Stream
) -> tuple[list[Outgoing], list[tuple[Received, WatercoolerError]]]:
    outgoing: list[Outgoing] = []
    rejected: list[tuple[Received, WatercoolerError]] = []
    for record in records:
        try:
            outgoing += stream.work(record)
        except Reject as error:
            rejected.append((record, error))
        except Exception as error:  # a mistake of ours about one record must not stop the others
            _log.exception("a record could not be scored", offset=record.offset)
            rejected.append((record, Reject(_mistake(stream, error))))
    return outgoing + stream.end(), rejected


async def _publish(outgoing: Sequence[Outgoing], last: Received, tools: Tools) -> None:
    if not outgoing:
        return
    try:
        await tools.publisher.publish(outgoing)
    except Unpublished as unpublished:
        for record, error in unpublished.failures:
            size = len(record.value or b"")
            if not isinstance(error, Reject):
                raise error from unpublished
            if size <= ORDINARY:
                raise Stop(
                    f"topic {record.topic} refuses a record of {size} bytes; set its max.message.bytes to 1048588 or"
                    " more and start again: nothing was skipped"
                ) from unpublished
            await tools.letters.put(replace(last, key=record.key, value=None), error)


def _mistake(stream: Stream, error: Exception) -> str:
    return f"a mistake in {type(stream).__name__} ({type(error).__name__}); please report it"


def received(event: Any) -> Received:
    """Return Faust's event as a record of ours."""
    message = event.message
    headers = message.headers or {}
    return Received(
        partition=Partition(message.topic, message.partition),
        offset=message.offset,
        key=(message.key or b"").decode(errors="replace"),
        value=message.value,
        headers=dict(headers.items() if hasattr(headers, "items") else headers),
        timestamp=int((message.timestamp or 0) * 1000),
    )
