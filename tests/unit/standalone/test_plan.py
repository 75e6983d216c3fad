import json
from pathlib import Path

import pytest

from services.common.errors import Stop
from services.common.settings import Source
from services.standalone import plan, priority


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA", "ELASTICSEARCH", "AUTH", "STATE", "KAFKA_PARTITIONS", "KAFKA_REPLICATION"):
        monkeypatch.delenv(f"WATERCOOLER_{name}", raising=False)
    return tmp_path


def test_what_suits_one_machine_is_filled_in(here: Path) -> None:
    planned = plan.make(None, [])
    assert planned.own_kafka
    assert planned.own_elasticsearch
    told = planned.environ()
    assert told["WATERCOOLER_KAFKA"] == "127.0.0.1:9092"
    assert told["WATERCOOLER_KAFKA_PARTITIONS"] == "4"
    assert told["WATERCOOLER_KAFKA_REPLICATION"] == "1"
    assert told["WATERCOOLER_ELASTICSEARCH"] == "http://127.0.0.1:9200"
    assert told["WATERCOOLER_STATE"] == str(here / ".watercooler")
    assert told["WATERCOOLER_AUTH"] == "demo"


def test_what_was_said_holds(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "watercooler.toml").write_text('auth = "none"\nkafka_port = 9999\nkafka_partitions = 7\n')
    monkeypatch.setenv("WATERCOOLER_ELASTICSEARCH", "http://search.invalid:9200")
    planned = plan.make(here / "elsewhere", [])
    told = planned.environ()
    assert not planned.own_elasticsearch
    assert told["WATERCOOLER_KAFKA"] == "127.0.0.1:9999"
    assert told["WATERCOOLER_KAFKA_PARTITIONS"] == "7"
    assert told["WATERCOOLER_ELASTICSEARCH"] == "http://search.invalid:9200"
    assert told["WATERCOOLER_STATE"] == str(here / "elsewhere")
    assert told["WATERCOOLER_AUTH"] == "none"


def test_sources_of_the_file_and_of_the_command_line_are_both_told(here: Path) -> None:
    (here / "watercooler.toml").write_text('[[sources]]\nname = "one"\nkind = "git"\nurl = "/a"\n')
    two = Source.model_validate({"name": "two", "kind": "matrix", "url": "https://chat.example"})
    told = json.loads(plan.make(None, [two]).environ("ingest")["WATERCOOLER_SOURCES"])
    assert told == [
        {"name": "one", "kind": "git", "enabled": True, "url": "/a"},
        {"name": "two", "kind": "matrix", "enabled": True, "url": "https://chat.example"},
    ]
    assert "WATERCOOLER_SOURCES" not in plan.make(None, [two]).environ("gateway"), "tokens concern ingest alone"
    assert "WATERCOOLER_SOURCES" not in plan.make(None, []).environ("ingest"), (
        "the file says it already, tokens included"
    )


def test_a_busy_port_stops_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.standalone.ports.socket.socket", Busy)
    with pytest.raises(Stop, match=r"Port 9092 for Kafka is used by another program: stop that program, or set"):
        plan.make(None, []).require_ports()


class Busy:
    """A socket on a machine where every port is taken."""

    def __enter__(self) -> "Busy":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def setsockopt(self, *_: int) -> None:
        return

    def bind(self, address: tuple[str, int]) -> None:
        raise OSError(98, "Address already in use")


def test_what_is_looked_at_later_gives_way() -> None:
    assert priority.polite("score", ["true"]) == ["nice", "-n", "10", "true"]
    assert priority.polite("gateway", ["true"]) == ["true"]
    assert set(priority.NICENESS) <= {"elasticsearch", *plan.SERVICES}
