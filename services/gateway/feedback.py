"""What people do with what they are shown, published to ``feedback.v1`` with the terms of that moment.

This log is the basis of every later claim about what showing does: so an act carries what had been recommended, by
which weights, how high in the list and with the dial where; and a first exposure is never written over by a later one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, get_args

from services.common import topics
from services.common.bus import Bus, Outgoing, Publisher
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.gateway.reactions import Reactions

Kind = Literal["seen", "opened", "useful", "not-useful", "new-to-me", "more", "less", "follow", "mute", "opt-out"]
KINDS: tuple[str, ...] = get_args(Kind)
ONCE = frozenset({"seen"})
"""Acts of which the first one counts and later ones are not stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One act of one person about something. ``rank`` is from 1, ``dial`` -1 where there was none."""

    person: str
    subject: str
    kind: str
    undone: bool = False
    value: float = 0.0
    surface: str = ""
    rank: int = 0
    dial: float = -1.0


class Suggestion(Protocol):
    """Something or somebody that was suggested, with the terms of the moment."""

    @property
    def score(self) -> float: ...
    @property
    def terms(self) -> Mapping[str, float]: ...
    @property
    def model(self) -> str: ...
    @property
    def container(self) -> str: ...


class Shown(Protocol):
    """Knows what is suggested to people."""

    def get(self, person: str, subject: str, /) -> Suggestion | None:
        """Return what suggests a thing or somebody to a person."""


class FeedbackBox:
    """Publishes feedback; returns only once Kafka has acknowledged it."""

    def __init__(self, bus: Bus, held: Sequence[Shown], reactions: Reactions, clock: Clock = now) -> None:
        self._bus = bus
        self._held = held
        self._reactions = reactions
        self._clock = clock
        self._codec = Codec("feedback")
        self._publisher: Publisher | None = None

    async def start(self) -> None:
        """Open the publisher."""
        self._publisher = await self._bus.publisher()

    async def put(self, given: Sequence[Feedback]) -> None:
        """Store; raises Unpublished where Kafka does not take it."""
        assert self._publisher is not None, "start first"
        at = self._clock()
        records = [self._record(one, at) for one in given if not self._known(one)]
        await self._publisher.publish([self._outgoing(one) for one in records])
        for record in records:
            self._reactions.apply(record)

    async def stop(self) -> None:
        """Close."""
        if self._publisher is not None:
            await self._publisher.stop()

    def _known(self, one: Feedback) -> bool:
        return one.kind in ONCE and not one.undone and self._reactions.shown(one.person, one.subject)

    def _record(self, one: Feedback, at: datetime) -> dict[str, Any]:
        record: dict[str, Any] = {
            "person": one.person,
            "subject": one.subject,
            "kind": one.kind,
            "undone": one.undone,
            "value": one.value,
            "surface": one.surface,
            "rank": one.rank,
            "dial": one.dial,
            "at": at,
            "terms": {},
            "score": 0.0,
            "model": "",
            "container": "",
        }
        held = next((there for shown in self._held if (there := shown.get(one.person, one.subject))), None)
        if held is not None:
            record |= {
                "terms": dict(held.terms),
                "score": held.score,
                "model": held.model,
                "container": held.container,
            }
        return record

    def _outgoing(self, record: dict[str, Any]) -> Outgoing:
        return Outgoing(
            topic=topics.FEEDBACK.name(self._bus.prefix),
            key=f"{record['person']}|{record['subject']}|{record['kind']}",
            value=self._codec.encode(record),
            place=record["person"],
        )
