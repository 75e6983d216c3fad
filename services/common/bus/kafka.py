"""The log on Kafka, by aiokafka. Each part of the port is a cover over one of its clients."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.common.bus import OnPartitions
from services.common.bus.kafka_admin import KafkaAdmin
from services.common.bus.kafka_errors import missing, translated
from services.common.bus.kafka_protocol import describe
from services.common.bus.kafka_publisher import KafkaPublisher
from services.common.bus.kafka_reading import KafkaConsumer, KafkaReader, Listener
from services.common.bus.kafka_settings import KafkaSettings
from services.common.bus.kafka_unreached import unreached
from services.common.errors import Stop

__all__ = ["KafkaBus", "KafkaSettings"]

_MAX_REQUEST = 1_048_576 * 4
"""Bytes of one produce request; a single record is bound by the topic's max.message.bytes (1 MiB by default)."""
_MUCH = 262_144
"""Bytes for which Kafka waits before it answers a reader that has time."""
_MOMENT = 1.0
"""Seconds that a start may still take when nobody waits for it any more."""


class KafkaBus:
    """The log on Kafka."""

    def __init__(self, settings: KafkaSettings, prefix: str) -> None:
        self.settings = settings
        self.prefix = prefix

    async def publisher(self) -> KafkaPublisher:
        """Return a started, idempotent publisher (``acks=all``)."""
        return KafkaPublisher(self._producer, await self._producer(), self.settings.patience)

    async def _producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self.settings.client(),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_batch_size=262_144,
            max_request_size=_MAX_REQUEST,
            compression_type="lz4",
            request_timeout_ms=10_000,
        )
        await self._start(producer)
        return producer

    async def consumer(
        self,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
    ) -> KafkaConsumer:
        """Return a started member of ``group``; raises Retry when a topic is missing."""
        await self._require(topics)
        consumer = AIOKafkaConsumer(
            **self.settings.client(),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=15_000,
            heartbeat_interval_ms=3_000,
            max_partition_fetch_bytes=1_048_576,
        )
        consumer.subscribe(list(topics), listener=Listener(on_assigned, on_revoked))
        await self._start(consumer)
        return KafkaConsumer(consumer)

    async def reader(self, *, unhurried: bool = False) -> KafkaReader:
        """Return a started reader that reads nothing yet.

        Kafka gives an ``unhurried`` one 256 KB at a time, or what there is after half a second: each answer is taken
        apart in Python, however little is in it. It asks for offsets by the connection that it reads by.
        """
        consumer = await self._groupless(_MUCH if unhurried else 1)
        try:
            return KafkaReader(consumer, await self._client(), None if unhurried else self._groupless)
        except BaseException:
            await consumer.stop()
            raise

    async def _groupless(self, least: int = 1) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self.settings.client(),
            fetch_min_bytes=least,
            fetch_max_wait_ms=500,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await self._start(consumer)
        return consumer

    async def admin(self) -> KafkaAdmin:
        """Return a started admin."""
        return await KafkaAdmin.start(self.settings, self.prefix)

    async def _require(self, topics: Sequence[str]) -> None:
        # aiokafka would wait in silence for a topic that is not there.
        client = await self._client()
        try:
            with translated(f"asking for topics {', '.join(topics)}"):
                found = await describe(client, topics)
        finally:
            await client.close()
        for topic in topics:
            if topic not in found:
                raise missing(topic)

    async def _client(self) -> AIOKafkaClient:
        client = AIOKafkaClient(**self.settings.client())
        try:
            await _undisturbed(client.bootstrap())
        except (KafkaError, TimeoutError) as error:
            raise await unreached(self.settings, error) from error
        except BaseException:
            await client.close()
            raise
        return client

    async def _start(self, client: Any) -> None:
        try:
            await _undisturbed(client.start())
        except (KafkaError, TimeoutError) as error:
            await client.stop()
            raise await unreached(self.settings, error) from error
        except ValueError as error:
            await client.stop()
            raise Stop(f"WATERCOOLER_KAFKA: {self.settings.bootstrap} is not host:port ({error})") from error
        except BaseException:  # cancelled while it waits for a group: its connections would stay
            await client.stop()
            raise


async def _undisturbed(starting: Awaitable[object]) -> None:
    """Wait for a start; when cancelled, give it a moment to end: aiokafka leaves a connection open where it is cut."""
    task = asyncio.ensure_future(starting)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_MOMENT)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
