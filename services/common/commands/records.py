"""Records of our topics in words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from services.common.bus import Received
from services.common.codec import Codec
from services.common.errors import Reject, Stop
from services.common.topics import TOPICS, Topic


def find(name: str, prefix: str) -> Topic:
    """Return the topic that a person names: ``activity``, ``activity.v1`` or in full; raises Stop naming all."""
    for topic in TOPICS:
        if name in (topic.suffix, topic.suffix.rsplit(".", 1)[0], topic.name(prefix)):
            return topic
    raise Stop(f"there is no topic {name!r}; there are {', '.join(topic.suffix for topic in TOPICS)}")


@cache
def _codec(subject: str) -> Codec:
    return Codec(subject)


def decoded(topic: Topic, value: bytes) -> dict[str, Any]:
    """Return what a value of a topic says; raises Reject when it cannot be read."""
    return _codec(topic.schema).decode(value)


def readable(topic: Topic, record: Received) -> dict[str, Any]:
    """Return a record as plain values; one that cannot be read says so under ``unreadable``."""
    shown: dict[str, Any] = {
        "topic": record.partition.topic,
        "partition": record.partition.number,
        "offset": record.offset,
        "timestamp": datetime.fromtimestamp(record.timestamp / 1000, UTC),
        "key": record.key,
        "headers": dict(record.headers),
        "value": None,
    }
    if record.value is None:
        return shown
    try:
        return {**shown, "value": decoded(topic, record.value)}
    except Reject as error:
        return {**shown, "unreadable": str(error)}


def without_empty(value: Any) -> Any:
    """Return a decoded value with only what says something, so that a person sees it."""
    if isinstance(value, Mapping):
        kept = {name: without_empty(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in (None, "", b"", 0, -1, [], {}, False, "UNKNOWN")}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [without_empty(one) for one in value]
    if isinstance(value, bytes) and len(value) > 64:
        return f"({len(value)} bytes)"
    return value
