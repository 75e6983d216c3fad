"""What is said here as activities. Pure.

Ids are ``watercooler:note-<hex>`` and ``watercooler:group-<hex>``. The actor is the person: no account here is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from uuid import uuid4

from services.common.model import (
    EVERY_VERSION,
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Method,
    Object,
    Provenance,
    Visibility,
    activity_id,
    micros,
)

SOURCE = "watercooler"
EVERYONE = Container(id=f"{SOURCE}:everyone", type="Channel", name="Everyone")
"""Where notes to everyone stand."""
GROUP = f"{SOURCE}:group-"
NOTE = f"{SOURCE}:note-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a note stands: containers, outermost first, the one that decides, and what it answers to."""

    context: tuple[Container, ...]
    container: str
    visibility: Visibility
    in_reply_to: str = ""


def new_id(prefix: str, person: str, key: str) -> str:
    """Return the id of something new: the same again for the same idempotency key of the same person."""
    if not key:
        return prefix + uuid4().hex[:20]
    return prefix + blake2b(f"{person}\0{key}".encode(), digest_size=10).hexdigest()


def account(person: str, name: str) -> Account:
    """Return a person as the one who acts."""
    return Account(id=person, name=name)


def note(id_: str, actor: Account, text: str, place: Place, at: datetime, mentions: Sequence[str] = ()) -> Activity:
    """Return the posting of a note in Markdown."""
    thing = Object(
        id=id_,
        type="Note",
        version=str(micros(at)),
        in_reply_to=place.in_reply_to,
        attributed_to=actor.id,
        content=text,
        media_type="text/markdown",
    )
    return Activity(
        id=_id(thing, "note.post"),
        type=ActivityType.CREATE,
        verb="note.reply" if place.in_reply_to else "note.post",
        published=at,
        recorded=at,
        actor=actor,
        object=thing,
        context=place.context,
        audience=Audience(visibility=place.visibility, container=place.container),
        mentions=tuple(mentions),
        provenance=Provenance(
            source=SOURCE, connector="gateway", method=Method.STREAM, native_id=id_, authenticated=True
        ),
    )


def edited(before: Activity, text: str, at: datetime, mentions: Sequence[str] = ()) -> Activity:
    """Return the edit of a note that was posted, or edited, by ``before``."""
    thing = replace(
        before.object, content=text, version=str(micros(at)), previous_version=before.object.version, order=0
    )
    act = replace(before, type=ActivityType.UPDATE, verb="note.edit", object=thing, published=at, recorded=at)
    return replace(act, id=_id(thing, act.verb), mentions=tuple(mentions))


def deleted(before: Activity, at: datetime) -> Activity:
    """Return the deletion of a note: all its versions are withdrawn."""
    stone = Object(
        id=before.object.id, type="Tombstone", version=str(micros(at)), previous_version=before.object.version
    )
    act = replace(before, type=ActivityType.DELETE, verb="note.delete", object=stone, published=at, recorded=at)
    return replace(act, id=_id(stone, act.verb), mentions=(), withdraws=(EVERY_VERSION,))


def group(kind: ActivityType, record: Access, actor: Account, at: datetime, about: str = "") -> Activity:
    """Return what happens to a group: it is made (Create, with what it is about), joined (Join) or left (Leave)."""
    place = Container(id=record.id, type="Group", name=record.name)
    thing = Object(id=record.id, type="Group", title=record.name, content=about, version=str(micros(at)))
    verb = f"group.{kind.value.lower()}"
    return Activity(
        id=_id(thing, verb),
        type=kind,
        verb=verb,
        published=at,
        recorded=at,
        actor=actor,
        object=thing,
        context=(place,),
        audience=Audience(visibility=record.visibility, container=record.id),
        provenance=Provenance(
            source=SOURCE, connector="gateway", method=Method.STREAM, native_id=record.id, authenticated=True
        ),
    )


def group_access(id_: str, name: str, members: Sequence[str], at: datetime, *, open_: bool) -> Access:
    """Return the access record of a group. Its principals are the members; an open one is everyone's to read."""
    return Access(
        id=id_,
        kind=AccessKind.CONTAINER,
        visibility=Visibility.PUBLIC if open_ else Visibility.RESTRICTED,
        principals=tuple(dict.fromkeys(members)),
        name=name,
        source=SOURCE,
        recorded=at,
    )


def _id(thing: Object, verb: str) -> str:
    # The first posting of a note has no version in its id: a second one with the same idempotency key is the same.
    version = "" if verb in ("note.post", "group.create") else thing.version
    return activity_id(SOURCE, thing.id.removeprefix(f"{SOURCE}:"), version, verb)
