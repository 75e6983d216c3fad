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
_LARGEST_REQUEST = 4 * 1_048_576


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
            max_request_size=_LARGEST_REQUEST,
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

    async def publish(self, records: Sequence[Outgoing], offset: int, *, alone: bool = False) -> int:
        """Publish and commit ``offset`` of the input partition in one transaction.

        ``alone`` sends each record in a batch of its own, so that a refusal names the right one. Returns the offset
        behind the last record of the first topic. Raises Refused, Fenced or Broken; after any of them only
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

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Outgoing], *, alone: bool) -> int:
        futures = []
        for record in records:
            try:
                future = await producer.send(
                    record.topic,
                    record.value,
                    key=record.key.encode(),
                    partition=record.partition,
                    headers=list(record.headers),
                )
                if alone:
                    await future
            except TOO_LARGE as error:
                raise Refused(record) from error
            futures.append(future)
        answers: list[Any] = await asyncio.gather(*futures, return_exceptions=True)
        _raise_first(records, answers)
        first = records[0].topic if records else ""
        return max((one.offset + 1 for one in answers if one.topic == first), default=0)

    async def restart(self) -> None:
        """Begin anew after Refused: the open transaction is aborted, and nothing of it can be seen."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Close; an open transaction is left to the next owner, who aborts it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _dismiss(producer)


def _raise_first(records: Sequence[Outgoing], answers: Sequence[Any]) -> None:
    failed = [(record, one) for record, one in zip(records, answers, strict=True) if isinstance(one, BaseException)]
    # Being fenced explains every other failure of the batch; a refusal explains what was sent behind it.
    for kind in (ProducerFenced, TOO_LARGE):
        for record, error in failed:
            if isinstance(error, kind):
                raise error if kind is ProducerFenced else Refused(record) from error
    if failed:
        raise failed[0][1]


async def _dismiss(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), _PATIENCE)
    except (TimeoutError, KafkaError):
        # It waits for Kafka to take what can no longer matter.
        await producer.client.close()
