"""The Faust app: which topics, which agents, and the settings without which Faust loses or doubles (see streams.py)."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import faust
from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from services.common.bus import Partition
from services.common.settings import Settings
from services.common.topics import Topic
from services.enrich.scoring.streams import Stream, Tools, safely


def build(settings: Settings, loop: Any) -> Any:
    """Return the app, without agents."""
    for chatty in ("faust", "mode"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return faust.App(
        f"{settings.topic_prefix}score",
        broker=[f"kafka://{server.strip()}" for server in settings.kafka.split(",")],
        broker_credentials=_credentials(settings),
        processing_guarantee="at_least_once",
        # What scoring knows is read back from compacted topics; Faust has no table to keep.
        store="memory://",
        datadir=_folder(settings.state),
        loop=loop,
        topic_partitions=settings.kafka_partitions,
        topic_replication_factor=settings.kafka_replication,
        topic_allow_declare=False,
        topic_disable_leader=True,
        value_serializer="raw",
        key_serializer="raw",
        broker_session_timeout=settings.kafka_session_seconds,
        broker_heartbeat_interval=settings.kafka_session_seconds / 5,
        broker_rebalance_timeout=30,
        broker_commit_interval=1,
        broker_commit_every=2_000,
        stream_wait_empty=False,
        stream_buffer_maxsize=1_024,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        web_enabled=False,
    )


def _folder(state: Path) -> Path:
    folder = state / "score"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _credentials(settings: Settings) -> Any:
    client = settings.kafka_settings().client()
    if client["security_protocol"].startswith("SASL"):
        return faust.SASLCredentials(
            username=client["sasl_plain_username"],
            password=client["sasl_plain_password"],
            mechanism=client["sasl_mechanism"],
            ssl_context=client["ssl_context"],
        )
    return faust.SSLCredentials(client["ssl_context"]) if client["ssl_context"] else None


def add_agents(
    app: Any,
    prefix: str,
    tools: Tools,
    streams: Sequence[tuple[str, Topic, Stream]],
    on_revoked: Callable[[], Awaitable[None]],
) -> None:
    """Add one agent per stream, named for what it does; ``on_revoked`` is awaited before partitions are dealt anew."""
    sources = {
        name: app.topic(name, key_type=bytes, value_type=bytes, value_serializer="raw")
        for name in {topic.name(prefix) for _, topic, _ in streams}
    }
    for name, topic, stream in streams:
        app.agent(sources[topic.name(prefix)], name=name)(_agent(stream, tools))

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def forget(*_: Any, **__: Any) -> None:
        await on_revoked()


def _agent(stream: Stream, tools: Tools) -> Callable[[Any], Awaitable[None]]:
    async def agent(events: Any) -> None:
        await safely(events, stream, tools)

    return agent


def mine(app: Any) -> frozenset[Partition]:
    """Return all partitions that this worker has now."""
    try:
        return frozenset(Partition(one.topic, one.partition) for one in app.consumer.assignment())
    except ConsumerNotStarted:
        return frozenset()


def assigned(app: Any, topic: str) -> list[int]:
    """Return the partitions of a topic that this worker has now; none while they are being dealt out."""
    if not app.started or app.rebalancing:
        return []
    return sorted(one.number for one in mine(app) if one.topic == topic)


def committed(app: Any, topic: str) -> Mapping[int, int]:
    """Return this worker's partitions of a topic with the offsets that the group has committed, as of the last dealing.

    Faust has asked the group for them before it reads on, and says so nowhere in public (0.15.3, pinned).
    """
    stored = app.consumer._committed_offset
    return {number: stored.get(TP(topic, number)) or 0 for number in assigned(app, topic)}
