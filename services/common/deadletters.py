"""Records that cannot be processed, put aside with their origin; and the guard that stops a flood of them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.common import metrics, topics
from services.common.bus import Outgoing, Publisher, Received, Unpublished
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.errors import Reject, Stop

_LARGEST = 900_000
"""Bytes of key, value and headers that are carried; a topic takes 1 MiB, and the letter says more than its original."""
_LONGEST_REASON = 1_000
_LONGEST_KEY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSource:
    """What a source sent and no topic holds yet. ``key`` is what finds it again, such as its native id."""

    source: str
    value: bytes | None
    key: str = ""
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Flood:
    """Counts what succeeds and what is given up; too much of the latter is our mistake, not the data's."""

    def __init__(self, *, in_a_row: int = 100, of_thousand: int = 200) -> None:
        self._in_a_row = in_a_row
        self._of_thousand = of_thousand
        self._row = 0
        self._seen = 0
        self._given_up: deque[int] = deque()

    def good(self, count: int = 1) -> None:
        """Count records that succeeded."""
        if count:
            self._row = 0
            self._seen += count

    def bad(self) -> None:
        """Count a record that was given up; raises Stop when there are too many."""
        self._row += 1
        self._seen += 1
        self._given_up.append(self._seen)
        while self._given_up[0] <= self._seen - 1_000:
            self._given_up.popleft()
        if self._row >= self._in_a_row:
            raise Stop(_flood(f"{self._row} records in a row", "WATERCOOLER_DEADLETTERS_IN_A_ROW"))
        if len(self._given_up) > self._of_thousand:
            raise Stop(_flood(f"{len(self._given_up)} of the last 1000 records", "WATERCOOLER_DEADLETTERS_OF_THOUSAND"))


def _flood(what: str, setting: str) -> str:
    return (
        f"{what} could not be processed; that looks like a mistake of ours, so nothing more is given up:"
        f" see `watercooler dlq list` for the reasons, mend it and start again, or raise {setting}"
    )


class DeadLetters:
    """Puts records of one service aside."""

    def __init__(
        self, publisher: Publisher, service: str, *, prefix: str, flood: Flood | None = None, clock: Clock = now
    ) -> None:
        self._publisher = publisher
        self._service = service
        self._topic = topics.DEADLETTER.name(prefix)
        self._clock = clock
        self._codec = Codec("deadletter")
        self.flood = flood or Flood()

    async def put(self, origin: Received | FromSource, error: Exception, *, attempt: int = 0) -> None:
        """Return once the letter is stored.

        Raises Stop on a flood (after storing) and where the topic refuses even a reference, Unpublished where Kafka
        fails for now.
        """
        letter = self._letter(origin, error, attempt)
        try:
            await self._publish(letter, carried=_size(letter) <= _LARGEST)
        except Unpublished as failed:
            if not isinstance(failed.failures[0][1], Reject):
                raise
            await self._refer(letter)
        metrics.DEADLETTERS.labels(self._service, letter["error"]).inc()
        self.flood.bad()

    async def _refer(self, letter: dict[str, Any]) -> None:
        # The topic is set to take less than we think; a reference fits, unless it is set to take nothing.
        try:
            await self._publish(letter, carried=False)
        except Unpublished as failed:
            if not isinstance(failed.failures[0][1], Reject):
                raise
            raise Stop(f"{self._topic} refuses every record; raise its max.message.bytes") from failed

    def good(self, count: int = 1) -> None:
        """Count records that succeeded, so that the share of the others is known."""
        self.flood.good(count)

    def _letter(self, origin: Received | FromSource, error: Exception, attempt: int) -> dict[str, Any]:
        read = isinstance(origin, Received)
        return {
            "service": self._service,
            "error": type(error).__name__,
            "reason": str(error)[:_LONGEST_REASON],
            "topic": origin.partition.topic if isinstance(origin, Received) else origin.source,
            "partition": origin.partition.number if isinstance(origin, Received) else -1,
            "offset": origin.offset if isinstance(origin, Received) else -1,
            "key": origin.key.encode() if origin.key or read else None,
            "value": origin.value,
            "headers": dict(origin.headers),
            "attempt": attempt,
            "at": self._clock(),
        }

    async def _publish(self, letter: dict[str, Any], *, carried: bool) -> None:
        shown = letter if carried else _by_reference(letter)
        await self._publisher.publish(
            [
                Outgoing(
                    topic=self._topic,
                    key=(shown["key"] or b"").decode(errors="replace"),
                    value=self._codec.encode(shown),
                    partition=letter["partition"] if letter["partition"] >= 0 else None,
                )
            ]
        )


def _by_reference(letter: dict[str, Any]) -> dict[str, Any]:
    # Key and headers may be what is too large.
    return {**letter, "key": (letter["key"] or b"")[:_LONGEST_KEY], "value": None, "headers": {}}


def _size(letter: Mapping[str, Any]) -> int:
    headers = sum(len(name) + len(value) for name, value in letter["headers"].items())
    return len(letter["key"] or b"") * 2 + len(letter["value"] or b"") + headers
