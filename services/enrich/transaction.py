"""One transactional producer, for one input partition: what it publishes and the offset stand or fall together.

``transactional.id`` is group and partition, so starting a producer here fences whoever had the partition before, and
ends his open transaction. A worker that was suspended and wakes up is refused by Kafka from then on (``Fenced``).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from services.common.bus import Outgoing
from services.common.bus.kafka_errors import TOO_LARGE
from services.common.bus.kafka_settings import KafkaSettings
from services.common.errors import Stop

_REFUSED = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
_PATIENCE = 10.0
_TIMEOUT_MS = 30_000
"""After this Kafka aborts a transaction by itself; ours take well under a second."""
_LARGEST = 4 * 1_048_576
"""Bytes of a record that are offered to Kafka at all."""


class Refused(Exception):
    """Kafka takes no record this large. ``record`` is to blame if each was sent alone, else one of its batch is."""

    def __init__(self, record: Outgoing) -> None:
        super().__init__(record.topic)
        self.record = record


class Fenced(Exception):
    """Somebody else has the partition now."""


class Broken(Exception):
    """The transaction failed for another reason; nothing of it can be seen by readers of committed records."""


class Transactions:
    """Publishes batches in transactions. ``start`` first, ``stop`` at last."""

    def __init__(self, settings: KafkaSettings, group: str, source: TopicPartition) -> None:
        self._settings = settings
        self._group = group
        self._source = source
        self._id = f"{group}-{source.partition}"
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Fence the owner before, if any. Raises Broken when Kafka does not let us."""
        producer = AIOKafkaProducer(
            **self._settings.client(),
            transactional_id=self._id,
            transaction_timeout_ms=_TIMEOUT_MS,
            acks="all",
            linger_ms=0,
            max_batch_size=262_144,
            compression_type="lz4",
            request_timeout_ms=30_000,
        )
        try:
            await producer.start()
        except BaseException as error:
            await _dismiss(producer)
            if isinstance(error, _REFUSED):
                raise Stop(
                    f"Kafka does not let us use transactional id {self._id}; see `watercooler topics acl`"
                ) from error
            if isinstance(error, KafkaError):
                raise Broken(f"{self._id} cannot begin ({type(error).__name__})") from error
            raise
        self._producer = producer

    async def publish(self, records: Sequence[Outgoing], offset: int, *, alone: bool = False) -> dict[str, int]:
        """Publish and commit ``offset`` of the input partition in one transaction.

        ``alone`` sends each record in a batch of its own, so that a refusal names the right one. Returns per topic
        the offset behind the last record. Raises Refused, Fenced or Broken; after any of them only
        ``restart`` or ``stop`` may follow.
        """
        producer = self._producer
        assert producer is not None, "start first"
        try:
            await producer.begin_transaction()
            sent = await self._send(producer, records, alone=alone)
            await producer.send_offsets_to_transaction({self._source: offset}, self._group)
            await producer.commit_transaction()
        except ProducerFenced as error:
            raise Fenced(self._id) from error
        except _REFUSED as error:
            raise Stop(f"Kafka does not let us write ({error}); grant it, see `watercooler topics acl`") from error
        except KafkaError as error:
            raise Broken(f"{self._id}: {type(error).__name__}") from error
        return sent

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Outgoing], *, alone: bool) -> dict[str, int]:
        by_topic: dict[str, list[Outgoing]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        # Beside each other, so that no topic's batches wait for those of another.
        behind = await asyncio.gather(
            *(_send_topic(producer, some, alone=alone) for some in by_topic.values()), return_exceptions=True
        )
        # Being fenced explains every other failure; a refusal explains what was sent behind it.
        failed = [one for one in behind if isinstance(one, BaseException)]
        for kind in (ProducerFenced, Refused, BaseException):
            for error in failed:
                if isinstance(error, kind):
                    raise error
        return {topic: one for topic, one in zip(by_topic, behind, strict=True) if isinstance(one, int)}

    async def restart(self) -> None:
        """Begin anew after Refused: the open transaction is aborted, and nothing of it can be seen."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Close; an open transaction is left to the next owner, who aborts it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _dismiss(producer)


async def _send_topic(producer: AIOKafkaProducer, records: Sequence[Outgoing], *, alone: bool) -> int:
    """Send records of one topic and partition; return the offset behind the last. Raises Refused and KafkaError."""
    behind = 0
    futures = []
    for some, batch in _batches(producer, records, alone=alone):
        futures.append((some, await producer.send_batch(batch, some[0].topic, partition=some[0].partition)))
    for some, future in futures:
        try:
            behind = (await future).offset + len(some)
        except TOO_LARGE as error:
            raise Refused(some[0]) from error
    return behind


def _batches(
    producer: AIOKafkaProducer, records: Sequence[Outgoing], *, alone: bool
) -> list[tuple[list[Outgoing], Any]]:
    # Whole batches cost a third of the producer's way for single records, which makes a future for each.
    found: list[tuple[list[Outgoing], Any]] = []
    for record in records:
        if len(record.value or b"") > _LARGEST:
            raise Refused(record)
        if alone or not found or not _append(found[-1][1], record):
            batch = producer.create_batch()
            _append(batch, record)  # the first record of a batch is taken whatever its size
            found.append(([record], batch))
        else:
            found[-1][0].append(record)
    return found


def _append(batch: Any, record: Outgoing) -> bool:
    taken = batch.append(timestamp=None, key=record.key.encode(), value=record.value, headers=list(record.headers))
    return taken is not None


async def _dismiss(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await producer.stop()
    except (TimeoutError, KafkaError):
        # It waits for Kafka to take what can no longer matter.
        await producer.client.close()
