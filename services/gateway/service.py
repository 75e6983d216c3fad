"""The gateway as a service: loaded from the log, serving for as long as its parts run."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from services.common.bus.kafka import KafkaBus
from services.common.run import Part, serving
from services.common.search.elastic import ElasticSearch
from services.common.settings import Settings
from services.gateway.app import build
from services.gateway.parts import Parts


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Sequence[Part]]:
    """Serve on the settings' host and port; Elasticsearch may come later, Kafka must be there (Retry)."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    parts = Parts.make(settings, bus, ElasticSearch.from_settings(settings))
    try:
        await parts.load()
        async with serving(build(parts), settings.host, settings.gateway_port):
            yield parts.running()
    finally:
        await parts.stop()
