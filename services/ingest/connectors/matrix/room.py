"""A room as its state events describe it: what it is called, whether it is encrypted, who may open it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.common.model import Access, AccessKind, Container, Visibility

Event = Mapping[str, Any]

OPEN_HISTORY = frozenset({"world_readable", "shared"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What is the same for all rooms of a source. ``link`` is put before room and event ids to make web addresses."""

    source: str
    homeserver: str
    reader: str
    link: str = "https://matrix.to/#/"
    open_rooms: bool = True
    longest: int = 100_000

    def account(self, user: str) -> str:
        """Id of the account of a Matrix user."""
        return f"{self.source}:user/{user}"

    def event(self, event_id: str) -> str:
        """Id of the object that began with an event."""
        return f"{self.source}:event/{event_id}"

    def container(self, room_id: str) -> str:
        """Id of the container that a room is. Room ids are taken whole: in version 12 they have no server part."""
        return f"{self.source}:room/{room_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room now. ``members`` holds the joined users: display name, and when they joined in milliseconds."""

    id: str
    name: str = ""
    encrypted: bool = False
    join_rule: str = "invite"
    history: str = "shared"
    members: Mapping[str, tuple[str, int]]

    def is_open(self) -> bool:
        """True when everybody on the server may join and then read what was said before."""
        return self.join_rule == "public" and self.history in OPEN_HISTORY


def room_of(room_id: str, state: Iterable[Event]) -> Room:
    """Return the room that a list of state events describes."""
    events = {(event["type"], event.get("state_key", "")): event for event in state}

    def said(kind: str, key: str, default: str) -> str:
        value = events.get((kind, ""), {}).get("content", {}).get(key, default)
        return value if isinstance(value, str) else default

    members = {
        user: (_display_name(event, user), int(event.get("origin_server_ts", 0)))
        for (kind, user), event in events.items()
        if kind == "m.room.member" and event.get("content", {}).get("membership") == "join"
    }
    return Room(
        id=room_id,
        name=said("m.room.name", "name", "") or said("m.room.canonical_alias", "alias", ""),
        encrypted=("m.room.encryption", "") in events,
        join_rule=said("m.room.join_rules", "join_rule", "invite"),
        history=said("m.room.history_visibility", "history_visibility", "shared"),
        members=members,
    )


def is_access(event: Event) -> bool:
    """True for an event after which the answer to who may open the room may be another."""
    return event.get("type") in {
        *("m.room.member", "m.room.join_rules", "m.room.history_visibility"),
        *("m.room.encryption", "m.room.name", "m.room.canonical_alias"),
    }


def access_of(server: Server, room: Room) -> Access:
    """Return the access record of a room: everyone for open rooms if so configured, else its members."""
    everyone = room.is_open() and server.open_rooms
    return Access(
        id=server.container(room.id),
        kind=AccessKind.CONTAINER,
        visibility=Visibility.PUBLIC if everyone else Visibility.RESTRICTED,
        principals=() if everyone else tuple(server.account(user) for user in sorted(_readers(server, room))),
        name=room.name or room.id,
        url=server.link + room.id,
        source=server.source,
    )


def containers_of(server: Server, room: Room) -> tuple[Container, ...]:
    """The server and the room in it, outermost first."""
    return (
        Container(id=f"{server.source}:server", type="Site", name=server.homeserver),
        Container(id=server.container(room.id), type="Channel", name=room.name or room.id, url=server.link + room.id),
    )


def _readers(server: Server, room: Room) -> Iterable[str]:
    if room.history in OPEN_HISTORY:
        return room.members
    # A member sees nothing from before joining here; what we hold begins when our own reader joined, so only those who
    # were there by then may see all of it.
    _, since = room.members.get(server.reader, ("", 0))
    return [user for user, (_, joined) in room.members.items() if joined <= since]


def _display_name(event: Event, user: str) -> str:
    name = event["content"].get("displayname")
    return name if isinstance(name, str) and name else user
