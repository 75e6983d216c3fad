"""Events -> activities: looks up what an edit or a redaction is about and hands it to ``parse``."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from services.common.errors import Reject
from services.common.model import Activity
from services.ingest.connector import Failure
from services.ingest.connectors.matrix import parse
from services.ingest.connectors.matrix.client import Event, MatrixClient
from services.ingest.connectors.matrix.memory import Kind, Known, Memory, known_of, redacts
from services.ingest.connectors.matrix.parse import Scene


@dataclass(slots=True)
class Found:
    """What some events gave, in their order."""

    activities: list[Activity] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """What each edit replaces: nobody can say it any more once the edit is redacted."""


class Reader:
    """Turns the events of one home server into activities, the same ones however the events came."""

    def __init__(self, client: MatrixClient, memory: Memory) -> None:
        self._client = client
        self._memory = memory

    async def found(self, scene: Scene, events: Iterable[Event]) -> Found:
        """Return what a room's events say; state and encrypted events say nothing here."""
        found = Found()
        for event in events:
            try:
                said = await self._said_by(scene, event)
                found.activities += said
                found.notes |= _note(event) if said else {}
            except Reject as error:
                found.failures.append(Failure(key=str(event.get("event_id")), value=orjson.dumps(event), error=error))
        return found

    async def _said_by(self, scene: Scene, event: Event) -> list[Activity]:
        known = self._memory.add(event)
        if event.get("type") == "m.room.redaction":
            emptied = await self._known(scene, redacts(event))
            said = [parse.redaction(scene, event, emptied), await self._text_before(scene, event, emptied)]
        else:
            said = [await self._activity(scene, event, known)]
        return [activity for activity in said if activity is not None]

    async def _activity(self, scene: Scene, event: Event, known: Known) -> Activity | None:
        if known.kind is Kind.EDIT:
            return parse.edit(scene, event, await self._known(scene, known.target))
        if known.kind is Kind.REACTION:
            return parse.reaction(scene, event)
        return parse.message(scene, event)

    async def _text_before(self, scene: Scene, event: Event, emptied: Known | None) -> Activity | None:
        if emptied is None or emptied.kind is not Kind.EDIT:
            return None
        original = await self._client.event(scene.room.id, emptied.target)
        return parse.unedit(scene, event, original) if original else None

    async def _known(self, scene: Scene, event_id: str) -> Known | None:
        """What an event was, from memory or else from the server."""
        known = self._memory.get(event_id)
        if known is not None or not event_id:
            return known
        event = await self._client.event(scene.room.id, event_id)
        return self._memory.add(event) if event else None


def _note(event: Event) -> dict[str, str]:
    known = known_of(event)
    return {str(event["event_id"]): known.target} if known.kind is Kind.EDIT else {}
