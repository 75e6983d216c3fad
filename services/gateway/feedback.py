"""What people do with what they are shown, published to ``feedback.v1``."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.common import topics
from services.common.bus import Bus, Outgoing, Publisher
from services.common.clock import Clock, now
from services.common.codec import Codec

KINDS = (
    "seen",
    "opened",
    "useful",
    "not-useful",
    "new-to-me",
    "more",
    "less",
    "follow",
    "mute",
    "opt-out",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One act. ``terms`` are those of the recommendation at that time."""

    person: str
    subject: str
    kind: str
    undone: bool = False
    value: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    surface: str = ""


class FeedbackBox:
    """Publishes feedback; returns only once Kafka has acknowledged it."""

    def __init__(self, bus: Bus, clock: Clock = now) -> None:
        self._bus = bus
        self._clock = clock
        self._codec = Codec("feedback")
        self._publisher: Publisher | None = None

    async def start(self) -> None:
        """Open the publisher."""
        self._publisher = await self._bus.publisher()

    async def put(self, given: list[Feedback]) -> None:
        """Store; raises Unpublished where Kafka does not take it."""
        assert self._publisher is not None, "start first"
        at = self._clock()
        await self._publisher.publish([self._outgoing(one, at) for one in given])

    async def stop(self) -> None:
        """Close."""
        if self._publisher is not None:
            await self._publisher.stop()

    def _outgoing(self, one: Feedback, at: datetime) -> Outgoing:
        record: dict[str, Any] = {
            "person": one.person,
            "subject": one.subject,
            "kind": one.kind,
            "undone": one.undone,
            "value": one.value,
            "terms": one.terms,
            "surface": one.surface,
            "at": at,
        }
        return Outgoing(
            topic=topics.FEEDBACK.name(self._bus.prefix),
            key=f"{one.person}|{one.subject}|{one.kind}",
            value=self._codec.encode(record),
            place=one.person,
        )
