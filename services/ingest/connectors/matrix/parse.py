"""Events of the client-server API -> activities. Pure.

The same event comes by /messages, /sync and application service transactions; all give the same activity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.common.errors import Reject
from services.common.model import (
    EPOCH,
    EVERY_VERSION,
    Account,
    AccountType,
    Activity,
    ActivityType,
    Audience,
    Container,
    Method,
    Object,
    Provenance,
    Visibility,
    activity_id,
)
from services.ingest.connectors.matrix.memory import Event, Kind, Known, is_redacted, known_of, redacts
from services.ingest.connectors.matrix.room import Room, Server, containers_of

MAPPING = 1
"""Version of this mapping; raise it when the same payload would give another activity."""
FINAL = 315_360_000_000_000
"""Ten years in micros: a redaction cannot be undone, so no later edit, nor a server's wrong clock, may outrank it."""

_QUOTE = re.compile(r"\A(?:> ?[^\n]*\n)+\n?")
_MX_REPLY = re.compile(r"<mx-reply>.*?</mx-reply>", re.DOTALL)
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where an event was seen: the server, the room, and the way it came."""

    server: Server
    room: Room
    method: Method
    authenticated: bool = False

    @property
    def audience(self) -> Audience:
        """What the source says about who may open it; the room's access record decides."""
        everyone = self.room.is_open() and self.server.open_rooms
        visibility = Visibility.PUBLIC if everyone else Visibility.RESTRICTED
        return Audience(visibility=visibility, container=self.server.container(self.room.id))


def message(scene: Scene, event: Event) -> Activity | None:
    """Return the creation of a message; None for an event that is none, was emptied, or cannot be read (encrypted)."""
    known = known_of(event)
    if known.kind is not Kind.MESSAGE or not isinstance(event["content"].get("body"), str):
        return None
    return _create(scene, event, known, event["content"], version=str(event["event_id"]))


def edit(scene: Scene, event: Event, original: Known | None) -> Activity | None:
    """Return the replacement of a message's text; None when it is void: by another sender, or of no living message."""
    relation = known_of(event)
    if original is None or original.kind is not Kind.MESSAGE or original.sender != event["sender"]:
        return None
    content = event["content"].get("m.new_content")
    if not isinstance(content, Mapping) or not isinstance(content.get("body"), str):
        return None
    created = _create(scene, event, original, content, version=str(event["event_id"]))
    thing = replace(created.object, id=scene.server.event(relation.target), url=_url(scene, relation.target))
    return replace(
        created,
        id=activity_id(scene.server.source, f"event/{relation.target}", str(event["event_id"]), "chat.edit"),
        type=ActivityType.UPDATE,
        verb="chat.edit",
        object=thing,
    )


def reaction(scene: Scene, event: Event) -> Activity | None:
    """Return the reaction to a message; None for an event that is none or was taken back."""
    known = known_of(event)
    if known.kind is not Kind.REACTION or not known.target:
        return None
    return replace(
        _act(scene, event, ActivityType.LIKE, "chat.react", _about(scene, known.target)),
        id=activity_id(scene.server.source, f"event/{event['event_id']}", "", "chat.react"),
        ext=_key(event),
    )


def redaction(scene: Scene, event: Event, known: Known | None) -> Activity | None:
    """Return what a redaction takes away: a message, an edit or a reaction; None for anything else.

    ``known`` is the event that was emptied. After an edit's redaction an older text holds again: see ``unedit``.
    """
    target = redacts(event)
    if not target or known is None or known.kind is Kind.OTHER:
        return None
    if known.kind is Kind.EDIT:
        return _edit_hidden(scene, event, known)
    if known.kind is Kind.REACTION:
        thing = _about(scene, known.target)
        undone = _act(scene, event, ActivityType.UNDO, "chat.unreact", thing)
        native = f"event/{target}"
        return replace(undone, id=activity_id(scene.server.source, native, str(event["event_id"]), "chat.unreact"))
    thing = Object(
        id=scene.server.event(target),
        type="Tombstone",
        url=_url(scene, target),
        version=str(event["event_id"]),
        order=order_of(event) + FINAL,
        attributed_to=scene.server.account(known.sender) if known.sender else "",
    )
    deleted = _act(scene, event, ActivityType.DELETE, "chat.delete", thing)
    return replace(
        deleted,
        id=activity_id(scene.server.source, f"event/{target}", str(event["event_id"]), "chat.delete"),
        withdraws=(EVERY_VERSION,),
    )


def unedit(scene: Scene, event: Event, original: Event) -> Activity | None:
    """Return the message as it reads after one of its edits was redacted; None when the message itself is gone.

    ``original`` is the first event of the message as the server gives it now, with the newest edit that is left.
    """
    known = known_of(original)
    if is_redacted(original) or known.kind is not Kind.MESSAGE:
        return None
    latest = original.get("unsigned", {}).get("m.relations", {}).get("m.replace")
    shown = latest if isinstance(latest, Mapping) else original
    content = shown["content"].get("m.new_content", shown["content"])
    state = _create(scene, event, known, content, version=str(shown.get("event_id", original["event_id"])))
    thing = replace(
        state.object,
        id=scene.server.event(str(original["event_id"])),
        url=_url(scene, str(original["event_id"])),
        attributed_to=scene.server.account(known.sender),
    )
    native = f"event/{original['event_id']}"
    return replace(
        state,
        id=activity_id(scene.server.source, native, str(event["event_id"]), "chat.unedit"),
        type=ActivityType.UPDATE,
        verb="chat.unedit",
        object=thing,
    )


def _edit_hidden(scene: Scene, event: Event, known: Known) -> Activity:
    thing = replace(_about(scene, known.target), version=str(event["event_id"]), order=order_of(event))
    hidden = _act(scene, event, ActivityType.UPDATE, "chat.hide", thing)
    native = f"event/{known.target}"
    return replace(
        hidden,
        id=activity_id(scene.server.source, native, str(event["event_id"]), "chat.hide"),
        withdraws=(redacts(event),),
    )


def order_of(event: Event) -> int:
    """Place of an event on the scale of its message, in micros: the server's milliseconds, then the event id's rank.

    Of two edits in one millisecond the greater event id counts (Matrix specification, event replacements).
    """
    start = str(event["event_id"])[1:3].ljust(2, "-")
    rank = (ord(start[0]) - ord("-")) * 12 + (ord(start[1]) - ord("-")) // 7
    return int(event["origin_server_ts"]) * 1000 + rank


def _create(scene: Scene, event: Event, known: Known, content: Mapping[str, Any], version: str) -> Activity:
    body, media_type = _body(content, answers=bool(known.reply_to))
    thing = Object(
        id=scene.server.event(str(event["event_id"])),
        type="Note",
        url=_url(scene, str(event["event_id"])),
        version=version,
        order=order_of(event),
        in_reply_to=scene.server.event(known.reply_to) if known.reply_to else "",
        content=body[: scene.server.longest],
        media_type=media_type,
        truncated=len(body) > scene.server.longest,
    )
    created = _act(scene, event, ActivityType.CREATE, "chat.message", thing)
    return replace(
        created,
        id=activity_id(scene.server.source, f"event/{event['event_id']}", "", "chat.message"),
        actor=_as_bot(created.actor) if content.get("msgtype") == "m.notice" else created.actor,
        context=(*created.context, *_thread(scene, known)),
        mentions=_mentions(scene, content),
        ext={"msgtype": str(content.get("msgtype", ""))},
    )


def _act(scene: Scene, event: Event, kind: ActivityType, verb: str, thing: Object) -> Activity:
    """What all activities from events have in common; the id is the caller's to set."""
    try:
        name, _ = scene.room.members.get(event["sender"], (event["sender"], 0))
        return Activity(
            id="",
            type=kind,
            verb=verb,
            published=EPOCH + timedelta(milliseconds=int(event["origin_server_ts"])),
            actor=Account(id=scene.server.account(event["sender"]), name=name, handle=event["sender"]),
            object=thing,
            context=containers_of(scene.server, scene.room),
            audience=scene.audience,
            provenance=_provenance(scene, event),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Reject(f"event {event.get('event_id')} of {scene.server.source} cannot be read: {error!r}") from error


def _provenance(scene: Scene, event: Event) -> Provenance:
    return Provenance(
        source=scene.server.source,
        connector="matrix",
        connector_version="1",
        method=scene.method,
        native_type=event["type"],
        native_id=event["event_id"],
        authenticated=scene.authenticated,
        mapping=MAPPING,
    )


def _body(content: Mapping[str, Any], *, answers: bool) -> tuple[str, str]:
    html = content.get("formatted_body")
    if content.get("format") == "org.matrix.custom.html" and isinstance(html, str):
        return _MX_REPLY.sub("", html), "text/html"
    body = str(content.get("body", ""))
    # Older clients quote what they answer; that text is another's and may be redacted there.
    return (_QUOTE.sub("", body) if answers else body), "text/plain"


def _thread(scene: Scene, known: Known) -> tuple[Container, ...]:
    if not known.thread:
        return ()
    return (Container(id=scene.server.event(known.thread), type="Thread", url=_url(scene, known.thread)),)


def _mentions(scene: Scene, content: Mapping[str, Any]) -> tuple[str, ...]:
    mentions = content.get("m.mentions")
    users = mentions.get("user_ids", ()) if isinstance(mentions, Mapping) else ()
    return tuple(dict.fromkeys(scene.server.account(user) for user in users if isinstance(user, str)))


def _about(scene: Scene, target: str) -> Object:
    """The message that a reaction is about; its text is not said again here."""
    return Object(id=scene.server.event(target), type="Note", url=_url(scene, target))


def _key(event: Event) -> dict[str, str]:
    """The emoji of a reaction. Words are left out: a reaction is no way to say what a redaction could not reach."""
    key = event["content"]["m.relates_to"].get("key")
    return {"key": key} if isinstance(key, str) and len(key) <= 16 and not _WORD.search(key) else {}


def _as_bot(account: Account) -> Account:
    return replace(account, type=AccountType.SERVICE)


def _url(scene: Scene, event_id: str) -> str:
    return f"{scene.server.link}{scene.room.id}/{event_id}"
