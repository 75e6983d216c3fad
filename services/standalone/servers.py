"""Start real servers from packages: what other parts and tests use."""

from pathlib import Path

from services.standalone import elastic, kafka
from services.standalone.install import Installed, prepare
from services.standalone.process import Server

__all__ = ["Installed", "Server", "prepare", "start_elasticsearch", "start_kafka"]


async def start_kafka(state: Path, port: int, installed: Installed | None = None, *, heap: str = "512m") -> Server:
    """Start Kafka on the loopback port with its data under `state`; what is missing is fetched first.

    Stop when the port is taken, or when it cannot be had or does not come up.
    """
    have = installed or await prepare()
    return await kafka.start(state, port, have.java, have.kafka, heap=heap)


async def start_elasticsearch(
    state: Path, port: int, installed: Installed | None = None, *, heap: str = "512m", lasting: bool = False
) -> Server:
    """Start Elasticsearch on the loopback port with its data under `state`; what is missing is fetched first.

    `lasting` lets Java compile for a long life instead of a quick start.
    Stop when the port is taken, or when it cannot be had or does not come up.
    """
    have = installed or await prepare()
    return await elastic.start(state, port, have.java, have.elasticsearch, heap=heap, lasting=lasting)
