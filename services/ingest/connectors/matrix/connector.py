"""One open home server: the contract of a connector over ``client`` and ``reader``."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from pydantic import BaseModel

from services.common import logs
from services.common.errors import Stop
from services.common.http import HttpOptions, opened
from services.common.model import Access, AccessKind, Account, Container, Method, Visibility
from services.ingest.connector import Batch, Connector, Delivery, Receipt, Tools
from services.ingest.connectors.matrix import appservice
from services.ingest.connectors.matrix.client import Event, MatrixClient
from services.ingest.connectors.matrix.memory import Memory
from services.ingest.connectors.matrix.parse import Scene
from services.ingest.connectors.matrix.reader import Found, Reader
from services.ingest.connectors.matrix.room import Room, Server, access_of, containers_of, is_access, room_of
from services.ingest.connectors.matrix.settings import MatrixSettings

_log = logs.get(__name__)


class Matrix:
    """The rooms of one home server that the reading account has joined."""

    def __init__(self, settings: MatrixSettings, tools: Tools, client: MatrixClient) -> None:
        self._settings = settings
        self._tools = tools
        self._client = client
        self._known: Server | None = None
        self._asking = asyncio.Lock()
        self._is_service = False
        self._reader = Reader(client, Memory(tools.noted))
        self._rooms: dict[str, Room | None] = {}
        self._skipped: set[str] = set()

    async def discover(self) -> Sequence[Container]:
        """Return the rooms that can be read; joins first what the settings name."""
        server = await self._server()
        for name in self._settings.rooms:
            if not await self._client.join(name):
                _log.warning("room cannot be joined", source=self._tools.source, room=name)
        rooms = [await self._room(room_id) for room_id in await self._client.joined_rooms()]
        return [containers_of(server, room)[-1] for room in rooms if room is not None and not room.encrypted]

    async def access(self, container: Container) -> Access:
        """Return who may open a room; nobody when it is not, or no longer, ours to read. ``live`` hears of changes."""
        room = await self._room(self._room_id(container))
        return await self._access(room) if room else self._closed(container.id, container.name)

    async def accounts(self) -> Sequence[Account]:
        """Return the members of the rooms that are read."""
        server = await self._server()
        rooms = [await self._room(room_id) for room_id in await self._client.joined_rooms()]
        names = {user: name for room in rooms if room for user, (name, _) in room.members.items()}
        return [Account(id=server.account(user), name=name, handle=user) for user, name in sorted(names.items())]

    async def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        """Yield what was said in a room, oldest first."""
        room = await self._room(self._room_id(container))
        place = _place(cursor)
        if room is not None and not room.encrypted:
            async for events, after in self._client.pages(room.id, self._settings.page_size, place or None):
                place = after
                found = await self._reader.found(await self._scene(room, Method.BACKFILL), events)
                yield _batch(found, place)
        yield Batch(cursor=_cursor(place), complete=True)

    async def live(self, cursor: str) -> AsyncIterator[Batch]:
        """Yield what happens in all rooms, as /sync tells it; to an application service it is delivered instead."""
        await self._server()
        if self._is_service:
            await self._deliveries_only()
        since = _place(cursor)
        if not since:
            since = str((await self._sync(None))["next_batch"])
            yield Batch(cursor=_cursor(since))
        self._rooms.clear()  # what was asked for before may have changed without our hearing of it
        while True:
            news = await self._sync(since)
            rooms: Mapping[str, Any] = news.get("rooms", {})
            for room_id, part in rooms.get("join", {}).items():
                async for batch in self._of_room(room_id, part, since):
                    yield batch
            for room_id in rooms.get("leave", {}):
                self._rooms.pop(room_id, None)
                yield Batch(access=[self._closed((await self._server()).container(room_id))])
            await self._accept(rooms.get("invite", {}))
            if news["next_batch"] != since:
                since = str(news["next_batch"])
                yield Batch(cursor=_cursor(since))

    async def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        """Yield the last hours of a room again, with the redactions that its events show."""
        room = await self._room_now(self._room_id(container))
        since = self._tools.clock() - timedelta(hours=self._settings.reconcile_hours)
        start = await self._client.place_at(room.id, since) if room else None
        if room is None or room.encrypted or start is None:
            return
        scene = await self._scene(room, Method.RECONCILE)
        async for events, _ in self._client.pages(room.id, self._settings.page_size, start):
            found = await self._reader.found(scene, [*_redactions(events), *events])
            yield replace(_batch(found), access=[await self._access(room)])

    async def receive(self, delivery: Delivery) -> Receipt:
        """Take a transaction of the home server to us as its application service."""
        appservice.verify(delivery, self._settings.hs_token, self._tools.source)
        if not appservice.is_transaction(delivery):
            return appservice.other(delivery)
        rooms = appservice.events_by_room(delivery.body)
        return Receipt(batch=_joined([await self._delivered(room_id, events) for room_id, events in rooms.items()]))

    async def _deliveries_only(self) -> None:
        """Wait for ever: home servers let no application service sync, and deliver again what we were away for."""
        if not self._settings.hs_token.get_secret_value():
            raise Stop(
                f"source {self._tools.source}: the access_token is an application service's; nothing is delivered to"
                " one without 'hs_token'; set it too, or use the access token of an ordinary account"
            )
        await asyncio.Event().wait()

    async def _delivered(self, room_id: str, events: Sequence[Event]) -> Batch:
        server = await self._server()
        if appservice.is_invited(events, server.reader):
            await self._accept([room_id])
        room = await (self._room_now if any(map(is_access, events)) else self._room)(room_id)
        if room is None:
            return Batch()  # of a room that nobody has invited us to
        scene = replace(await self._scene(room, Method.WEBHOOK), authenticated=True)
        found = _batch(await self._reader.found(scene, events)) if not room.encrypted else Batch()
        return replace(found, access=[await self._access(room)])

    async def _of_room(self, room_id: str, part: Mapping[str, Any], since: str) -> AsyncIterator[Batch]:
        """What one room's part of a sync says, after what the server left out of it."""
        timeline = part.get("timeline", {})
        events: list[Event] = timeline.get("events", [])
        told = [*part.get("state", {}).get("events", []), *events]
        room = await (self._room_now if any(map(is_access, told)) else self._room)(room_id)
        if room is None:
            return
        if any(map(is_access, told)):
            yield Batch(access=[await self._access(room)])
        if room.encrypted:
            return  # who may open what was said before is still followed
        scene = await self._scene(room, Method.STREAM)
        if timeline.get("limited"):
            before = timeline.get("prev_batch")
            async for missed, _ in self._client.pages(room_id, self._settings.page_size, since, before):
                yield _batch(await self._reader.found(scene, missed))
        yield _batch(await self._reader.found(scene, events))

    async def _accept(self, invitations: Iterable[str]) -> None:
        for room_id in invitations if self._settings.accept_invites else ():
            if not await self._client.join(room_id):
                _log.warning("invitation cannot be accepted", source=self._tools.source, room=room_id)

    async def _sync(self, since: str | None) -> Mapping[str, Any]:
        return await self._client.sync(since, self._settings.sync_seconds if since else 0, self._settings.page_size)

    async def _room(self, room_id: str) -> Room | None:
        """A room as last asked for; None when it cannot be read."""
        return self._rooms[room_id] if room_id in self._rooms else await self._room_now(room_id)

    async def _room_now(self, room_id: str) -> Room | None:
        state = await self._client.state(room_id)
        room = room_of(room_id, state) if state is not None else None
        if room is not None and (await self._server()).reader not in room.members:
            room = None  # public history, but nobody has invited us
        if room is not None and room.encrypted and room_id not in self._skipped:
            self._skipped.add(room_id)
            _log.warning("encrypted room is skipped", source=self._tools.source, room=room_id, name=room.name)
        self._rooms[room_id] = room
        return room

    async def _scene(self, room: Room, method: Method) -> Scene:
        authenticated = self._settings.url.startswith("https:")
        return Scene(server=await self._server(), room=room, method=method, authenticated=authenticated)

    async def _access(self, room: Room) -> Access:
        return replace(access_of(await self._server(), room), recorded=self._tools.clock())

    async def _server(self) -> Server:
        """What is the same for all rooms; asks at first who we are there, once for all who want to know."""
        async with self._asking:
            if self._known is None:
                reader, self._is_service = await self._client.whoami()
                self._known = Server(
                    source=self._tools.source,
                    homeserver=reader.partition(":")[2],
                    reader=reader,
                    link=self._settings.link,
                    open_rooms=self._settings.open_rooms,
                    longest=self._settings.longest,
                )
            return self._known

    def _room_id(self, container: Container) -> str:
        return container.id.removeprefix(f"{self._tools.source}:room/")

    def _closed(self, container: str, name: str = "") -> Access:
        return Access(
            id=container,
            kind=AccessKind.CONTAINER,
            visibility=Visibility.UNKNOWN,
            name=name,
            source=self._tools.source,
            recorded=self._tools.clock(),
        )


@asynccontextmanager
async def open_server(options: BaseModel, tools: Tools) -> AsyncIterator[Connector]:
    """Yield the home server. Nothing is asked of it yet, so that one that is away holds up nobody else."""
    settings = MatrixSettings.model_validate(options)
    http_options = HttpOptions(
        requests=settings.requests_per_second,
        setting="access_token",
    )
    async with opened(tools.source, settings.url, http_options) as http:
        yield Matrix(settings, tools, MatrixClient(http, settings.access_token))


def _redactions(events: Sequence[Event]) -> list[Event]:
    """The redactions that emptied events tell of: they may have been missed themselves."""
    told = [event.get("unsigned", {}).get("redacted_because") for event in events]
    return [event for event in told if isinstance(event, dict)]


def _joined(batches: Sequence[Batch]) -> Batch:
    return Batch(
        activities=[one for batch in batches for one in batch.activities],
        access=[one for batch in batches for one in batch.access],
        failures=[one for batch in batches for one in batch.failures],
        notes={name: value for batch in batches for name, value in batch.notes.items()},
    )


def _batch(found: Found, place: str = "") -> Batch:
    cursor = _cursor(place) if place else ""
    return Batch(activities=found.activities, failures=found.failures, notes=found.notes, cursor=cursor)


def _cursor(place: str) -> str:
    return orjson.dumps({"place": place}).decode()


def _place(cursor: str) -> str:
    return str(orjson.loads(cursor)["place"]) if cursor else ""
