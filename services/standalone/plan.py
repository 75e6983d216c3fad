"""What `up` will run, from the settings: which servers are ours, which ports, what every service is told."""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.common import settings as common
from services.common.settings import Settings, Source
from services.standalone import folder, ports, priority
from services.standalone.process import Server

SERVICES = {
    "gateway": "the page, the API, the live feed",
    "ingest": "reads the sources, receives webhooks",
    "enrich": "links, people, language, vectors",
    "score": "what is useful to whom, and surprising",
    "index": "feeds the search",
}
LARGEST_LOG = 20_000_000
PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs where."""

    settings: Settings
    state: Path
    own_kafka: bool
    own_elasticsearch: bool
    more_sources: bool = False  # some stand on the command line alone

    @property
    def page(self) -> str:
        """Where the page will be."""
        return f"http://{ports.HOST}:{self.settings.gateway_port}"

    def port(self, service: str) -> int:
        """The port of a service's health, metrics and whatever else it serves."""
        port: int = getattr(self.settings, f"{service}_port")
        return port

    def require_ports(self) -> None:
        """Stop when a port is taken, before anything is fetched or started."""
        if self.own_kafka:
            ports.require(self.settings.kafka_port, "Kafka", "WATERCOOLER_KAFKA_PORT")
        if self.own_elasticsearch:
            ports.require(self.settings.elasticsearch_port, "Elasticsearch", "WATERCOOLER_ELASTICSEARCH_PORT")
        for service in SERVICES:
            ports.require(self.port(service), service, f"WATERCOOLER_{service.upper()}_PORT")

    def environ(self, service: str = "") -> dict[str, str]:
        """What a service is told: this process's environment, and what was decided here."""
        settings = self.settings
        told = {
            **os.environ,
            "WATERCOOLER_KAFKA": settings.kafka,
            "WATERCOOLER_KAFKA_PARTITIONS": str(settings.kafka_partitions),
            "WATERCOOLER_KAFKA_REPLICATION": str(settings.kafka_replication),
            "WATERCOOLER_ELASTICSEARCH": settings.elasticsearch,
            "WATERCOOLER_STATE": str(self.state),
            "WATERCOOLER_AUTH": settings.auth,
        }
        if self.more_sources and service == "ingest":  # they may hold secrets that concern nobody else
            told["WATERCOOLER_SOURCES"] = json.dumps([source.model_dump(mode="json") for source in settings.sources])
        return told

    def log(self, name: str) -> Path:
        """The log file of a part, in logs/ of the data folder; one that has grown large is put aside first."""
        file = self.state / "logs" / f"{name}.log"
        file.parent.mkdir(exist_ok=True)
        if file.exists() and file.stat().st_size > LARGEST_LOG:
            file.replace(file.with_suffix(".log.1"))
        return file

    async def start(self, service: str) -> Server:
        """Start one service in the folder that `up` was called in."""
        command = priority.polite(service, [sys.executable, "-m", "services", service])
        environ, log = self.environ(service), self.log(service)
        return Server(service, self.port(service), command, Path.cwd(), environ=environ, output=log)


def make(state: Path | None, sources: Iterable[Source], **overrides: Any) -> Plan:
    """Read the settings, fill in what suits one machine where nothing was said, and check the data folder.

    Stop when the settings are wrong or the folder cannot be used.
    """
    if state is not None:
        overrides["state"] = state
    read = common.load(**overrides)
    said = read.model_fields_set
    own_kafka, own_elasticsearch = "kafka" not in said, "elasticsearch" not in said
    more = list(sources)
    fitting: dict[str, Any] = {"sources": [*read.sources, *more]}
    if "auth" not in said:
        fitting["auth"] = "demo"
    if own_kafka:
        fitting["kafka"] = f"{ports.HOST}:{read.kafka_port}"
        fitting["kafka_replication"] = 1
        if "kafka_partitions" not in said:
            fitting["kafka_partitions"] = PARTITIONS
    if own_elasticsearch:
        fitting["elasticsearch"] = f"http://{ports.HOST}:{read.elasticsearch_port}"
    place = folder.prepare(read.state)
    settled = common.load(**{**overrides, **fitting, "state": place})
    return Plan(settled, place, own_kafka, own_elasticsearch, bool(more))


def log_reason(server: Server) -> str:
    """Why a service ended, from its last line of structured log, and where to read more."""
    last = server.last_words()
    try:
        content = json.loads(last)
    except ValueError:
        content = {}
    reason = content.get("reason") or content.get("event") if isinstance(content, dict) else None
    return f"{reason or last} (log: {os.path.relpath(server.output)})"
