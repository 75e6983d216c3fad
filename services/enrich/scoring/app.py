"""The Faust app: which topics, which agents, and the settings without which Faust loses or doubles (see streams.py)."""

import logging
from pathlib import Path
from typing import Any

import faust

from services.common import topics
from services.common.settings import Settings
from services.enrich.scoring.contributions import Contributions
from services.enrich.scoring.profiles import Profiles
from services.enrich.scoring.recommendations import Recommendations
from services.enrich.scoring.streams import Tools, safely


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
    contributions: Contributions,
    profiles: Profiles,
    recommendations: Recommendations,
    tools: Tools,
) -> None:
    """Add one agent per stream, named for what it does."""
    enriched = app.topic(topics.ENRICHED.name(prefix), key_type=bytes, value_type=bytes, value_serializer="raw")
    contributed = app.topic(topics.CONTRIBUTION.name(prefix), key_type=bytes, value_type=bytes, value_serializer="raw")

    @app.agent(enriched, name="contributions")  # type: ignore[untyped-decorator]
    async def contribute(stream: Any) -> None:
        await safely(stream, contributions, tools)

    @app.agent(contributed, name="profiles")  # type: ignore[untyped-decorator]
    async def profile(stream: Any) -> None:
        await safely(stream, profiles, tools)

    @app.agent(enriched, name="recommendations")  # type: ignore[untyped-decorator]
    async def recommend(stream: Any) -> None:
        await safely(stream, recommendations, tools)

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def forget(*_: Any, **__: Any) -> None:
        profiles.forget()
