"""Made-up activities in the import form, for tests that need many: distinct ids, repetitions, several places."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

WORDS = (
    "cache",
    "parser",
    "index",
    "queue",
    "retry",
    "schema",
    "token",
    "shard",
    "broker",
    "cursor",
    "offset",
    "vector",
)
START = datetime(2026, 1, 1, tzinfo=UTC)


def activity(number: int, *, source: str = "load") -> dict[str, Any]:
    """Return the activity of that number: always the same one."""
    draw = random.Random(number)
    at = START + timedelta(seconds=number)
    words = " ".join(draw.choices(WORDS, k=12))
    return {
        "id": f"{source}:chat:{number}",
        "type": "Create",
        "verb": "chat.message",
        "published": at.isoformat().replace("+00:00", "Z"),
        "actor": {"id": f"person:{draw.randrange(50)}", "type": "person", "name": f"Person {number % 50}"},
        "object": {"id": f"{source}:note:{number}", "type": "Note", "content": f"{words} n{number}"},
        "context": [{"id": f"{source}:channel:{number % 20}", "type": "Channel", "name": f"channel {number % 20}"}],
        "audience": {"visibility": "PUBLIC"},
        "provenance": {"source": source, "method": "IMPORT"},
    }


def lines(count: int, *, repeated: float = 0.02) -> Iterator[dict[str, Any]]:
    """Yield ``count`` distinct activities, and some of them twice."""
    draw = random.Random(count)
    for number in range(count):
        yield activity(number)
        if draw.random() < repeated:
            yield activity(draw.randrange(number + 1))


def write(path: Path, count: int) -> Path:
    """Write a gzipped file of the import form; returns its path."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
        for one in lines(count):
            out.write(json.dumps(one) + "\n")
    return path
