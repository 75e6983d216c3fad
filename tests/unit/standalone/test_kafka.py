import base64
import uuid
from pathlib import Path

import pytest

from services.standalone import kafka


def test_an_identity_never_begins_with_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=b"\x01" * 16)])
    assert base64.urlsafe_b64encode(b"\xf8" + bytes(15)).startswith(b"-")
    monkeypatch.setattr("services.standalone.kafka.uuid.uuid4", lambda: next(made))
    assert kafka.cluster_id() == "AQEBAQEBAQEBAQEBAQEBAQ"


def test_the_broker_listens_on_loopback_only_and_makes_no_topic_by_itself() -> None:
    settings = dict(line.split("=", 1) for line in kafka.properties(Path("/d"), 9092, 9093).splitlines())
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["log.dirs"] == "/d"
