"""Publishing to Kafka, with what aiokafka's idempotent producer leaves to its user.

Such a producer never gives a record up while Kafka is away, gives one up at once while Kafka starts and has no leader
yet, and after a refused batch its numbering has a gap, so that Kafka refuses all that follows. So a record has a time
limit here, up to which it is tried again where that may help, and a producer that had a failure is replaced.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerClosed

from services.common import logs
from services.common.bus import Outgoing, Unpublished
from services.common.bus.kafka_errors import TOO_LARGE, missing, of_record
from services.common.bus.kafka_protocol import describe
from services.common.bus.placing import partition_of
from services.common.errors import Retry, WatercoolerError

_log = logs.get(__name__)

MakeProducer = Callable[[], Awaitable[AIOKafkaProducer]]
_Failed = tuple[Outgoing, Exception]
_AS_A_CONSEQUENCE = (OutOfOrderSequenceNumber, ProducerClosed)
_PAUSE = 0.5
"""Seconds before what may succeed is tried again."""
_FLUSH = 10.0
"""Seconds that what is buffered may take when stopping."""


class _Away(Exception):
    """Kafka could not be reached just now; ``error`` says why."""

    def __init__(self, error: Retry) -> None:
        super().__init__(str(error))
        self.error = error


class KafkaPublisher:
    """Publisher over one idempotent producer at a time."""

    def __init__(self, make: MakeProducer, producer: AIOKafkaProducer, patience: float) -> None:
        self._make = make
        self._producer: AIOKafkaProducer | None = producer
        self._patience = patience
        self._making = asyncio.Lock()
        self._stopped = False
        self._retiring: set[asyncio.Task[None]] = set()
        self._partitions: dict[str, int] = {}

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Return once all are stored; raise Unpublished for those that were not."""
        now, deadline = self._clock(), self._clock() + self._patience
        failed = await self._attempt(list(records), deadline)
        while any(_may_pass(error) for _, error in failed) and now + _PAUSE < deadline and not self._stopped:
            await asyncio.sleep(_PAUSE)
            # All of them, and in their order: what failed for another reason may have come behind one of these.
            failed = await self._attempt([record for record, _ in failed], deadline)
            now = self._clock()
        if any(isinstance(error, TOO_LARGE + _AS_A_CONSEQUENCE) for _, error in failed):
            failed = await self._one_by_one(failed)
        if failed:
            raise Unpublished([(record, _as_ours(record, error)) for record, error in failed])

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _one_by_one(self, failed: Sequence[_Failed]) -> list[_Failed]:
        """Send again what shared a batch with a record too large, or came behind one; return what failed by itself."""
        still: list[_Failed] = []
        for record, error in failed:
            again = isinstance(error, TOO_LARGE + _AS_A_CONSEQUENCE)
            limit = self._clock() + self._patience
            still += await self._attempt([record], limit) if again else [(record, error)]
        return still

    async def _attempt(self, records: Sequence[Outgoing], deadline: float) -> list[_Failed]:
        if not records:
            return []
        try:
            async with asyncio.timeout_at(deadline):
                producer = await self._current()
        except Retry as error:
            return [(record, _Away(error)) for record in records]
        except (WatercoolerError, TimeoutError) as other:
            return [(record, other) for record in records]
        failed: list[_Failed] = []
        sent: dict[asyncio.Future[Any], Outgoing] = {}
        waiting = iter(records)
        try:
            async with asyncio.timeout_at(deadline):
                for record in waiting:
                    try:
                        sent[await self._send(producer, record)] = record
                    except (KafkaError, WatercoolerError) as error:
                        failed.append((record, error))
        except TimeoutError as error:
            failed += [(one, error) for one in (record, *waiting)]
        failed += await _outcomes(sent, deadline)
        if any(not isinstance(error, WatercoolerError) for _, error in failed):
            late = any(isinstance(error, TimeoutError) for _, error in failed)
            self._retire(producer, flush=0.0 if late else _FLUSH)
        order = {id(record): n for n, record in enumerate(records)}
        return sorted(failed, key=lambda one: order[id(one[0])])

    async def _current(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                self._producer = await self._make()
            return self._producer

    async def _send(self, producer: AIOKafkaProducer, record: Outgoing) -> asyncio.Future[Any]:
        partition = record.partition
        if partition is None:
            count = await self._count(producer, record.topic)
            partition = partition_of(record.key if record.place is None else record.place, count)
        future: asyncio.Future[Any] = await producer.send(
            record.topic, record.value, key=record.key.encode(), partition=partition, headers=list(record.headers)
        )
        return future

    async def _count(self, producer: AIOKafkaProducer, topic: str) -> int:
        # The producer itself would wait half a minute for a topic that is not there. Partitions never change.
        if topic not in self._partitions:
            found = await describe(producer.client, [topic])
            if topic not in found:
                raise missing(topic)
            self._partitions[topic] = found[topic].partitions
        return self._partitions[topic]

    def _retire(self, producer: AIOKafkaProducer, *, flush: float) -> None:
        if self._producer is producer:
            self._producer = None
            self._partitions.clear()
            task = asyncio.create_task(_stop(producer, flush))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def stop(self) -> None:
        """Send what is buffered and close."""
        self._stopped = True
        if self._producer is not None:
            self._retire(self._producer, flush=_FLUSH)
        await asyncio.gather(*self._retiring)


def _may_pass(error: Exception) -> bool:
    """Return whether the same record may be taken in a moment, as while a broker starts again."""
    return isinstance(error, _Away) or (isinstance(error, KafkaError) and bool(error.retriable))


def _as_ours(record: Outgoing, error: Exception) -> WatercoolerError:
    return error.error if isinstance(error, _Away) else of_record(record, error)


async def _outcomes(sent: dict[asyncio.Future[Any], Outgoing], deadline: float) -> list[_Failed]:
    if not sent:
        return []
    left = max(0.0, deadline - asyncio.get_running_loop().time())
    done, late = await asyncio.wait(sent, timeout=left)
    failed: list[_Failed] = [(sent[one], TimeoutError("not acknowledged in time")) for one in late]
    for one in done:
        error = one.exception()
        if isinstance(error, Exception):
            failed.append((sent[one], error))
    return failed


async def _stop(producer: AIOKafkaProducer, flush: float) -> None:
    stopping = asyncio.create_task(producer.stop())
    _, late = await asyncio.wait([stopping], timeout=flush)
    if late:
        # Kafka is away, and aiokafka would try for ever what we have already called unpublished, to store it one day
        # behind what was published after it. There is no public way to let go; ending the sender makes stop() go on.
        producer._sender.sender_task.cancel()
        await asyncio.wait([stopping], timeout=_FLUSH)
    if stopping.done() and not stopping.cancelled() and (error := stopping.exception()):
        _log.warning("a producer stopped with an error", error=type(error).__name__)
