"""Events -> activities: looks up what an edit or a redaction is about and hands it to ``parse``."""

from collections.abc import Iterable

from services.common.model import Activity
from services.ingest.connectors.matrix import parse
from services.ingest.connectors.matrix.client import Event, MatrixClient
from services.ingest.connectors.matrix.memory import Kind, Known, Memory, redacts
from services.ingest.connectors.matrix.parse import Scene


class Reader:
    """Turns the events of one home server into activities, the same ones however the events came."""

    def __init__(self, client: MatrixClient, memory: Memory) -> None:
        self._client = client
        self._memory = memory

    async def activities(self, scene: Scene, events: Iterable[Event]) -> list[Activity]:
        """Return what a room's events say, in their order; state and encrypted events say nothing here."""
        found: list[Activity] = []
        for event in events:
            activity = await self._activity(scene, event)
            if activity is not None:
                found.append(activity)
        return found

    async def _activity(self, scene: Scene, event: Event) -> Activity | None:
        known = self._memory.add(event)
        if event.get("type") == "m.room.redaction":
            return await self._redaction(scene, event)
        if known.kind is Kind.EDIT:
            return parse.edit(scene, event, await self._known(scene, known.target))
        if known.kind is Kind.REACTION:
            return parse.reaction(scene, event)
        return parse.message(scene, event)

    async def _redaction(self, scene: Scene, event: Event) -> Activity | None:
        known = await self._known(scene, redacts(event))
        if known is None or known.kind is not Kind.EDIT:
            return parse.redaction(scene, event, known)
        original = await self._client.event(scene.room.id, known.target)
        return parse.unedit(scene, event, original) if original else None

    async def _known(self, scene: Scene, event_id: str) -> Known | None:
        """What an event was, from memory or else from the server."""
        known = self._memory.get(event_id)
        if known is not None or not event_id:
            return known
        event = await self._client.event(scene.room.id, event_id)
        return self._memory.add(event) if event else None
