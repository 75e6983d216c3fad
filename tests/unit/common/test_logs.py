"""What a log line holds, and what it never does."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from services.common import logs


@pytest.fixture
def stream() -> Iterator[StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = StringIO()
    logs.configure("test", stream=written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_secrets_in_addresses_are_covered_whoever_writes_them(stream: StringIO) -> None:
    logging.getLogger("some.library").info("GET %s", "/v1/stream?q=a&access_token=abc-123&feed=all")
    logs.get("ours").warning("asked", address="https://id.example/cb?code=xyz")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first["event"] == "GET /v1/stream?q=a&access_token=(redacted)&feed=all"
    assert second["address"] == "https://id.example/cb?code=(redacted)"
