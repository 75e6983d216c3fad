"""What was what: a bounded memory of earlier events, since a redaction says only which event it empties."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Event = Mapping[str, Any]


class Kind(StrEnum):
    """What an event was before anybody redacted it."""

    MESSAGE = "message"
    EDIT = "edit"
    REACTION = "reaction"
    REDACTED = "redacted"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One earlier event without its text. ``target`` is what an edit replaces or a reaction is about."""

    kind: Kind
    sender: str
    target: str = ""
    thread: str = ""
    reply_to: str = ""


class Memory:
    """The newest events up to a number, by event id.

    Of an emptied edit no home server can say what it replaced, so ``noted`` returns that for every edit whose text was
    ever published, before a restart and beyond the newest events too; empty for anything else.
    """

    def __init__(self, noted: Callable[[str], str] = lambda _: "", size: int = 50_000) -> None:
        self._noted = noted
        self._size = size
        self._known: OrderedDict[str, Known] = OrderedDict()

    def get(self, event_id: str) -> Known | None:
        """Return what is known of an event, or None."""
        return self._known.get(event_id)

    def add(self, event: Event) -> Known:
        """Remember an event and return what is kept of it; what was known before it was redacted stays."""
        event_id, known = str(event["event_id"]), known_of(event)
        if is_redacted(event) and event_id in self._known:
            return self._known[event_id]
        if known.kind is Kind.REDACTED and (target := self._noted(event_id)):
            known = replace(known, kind=Kind.EDIT, target=target)
        self._known[event_id] = known
        self._known.move_to_end(event_id)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return known


def known_of(event: Event) -> Known:
    """Return what has to be remembered of an event."""
    sender, content = str(event.get("sender", "")), event.get("content", {})
    if is_redacted(event):
        # An emptied edit looks like an emptied message; of an emptied reaction nobody can say what it was about.
        kind = Kind.REDACTED if event.get("type") == "m.room.message" else Kind.OTHER
        return Known(kind=kind, sender=sender)
    relation = content.get("m.relates_to")
    relation = relation if isinstance(relation, Mapping) else {}
    target, relates = str(relation.get("event_id", "")), relation.get("rel_type")
    if event.get("type") == "m.reaction" and relates == "m.annotation":
        return Known(kind=Kind.REACTION, sender=sender, target=target)
    if event.get("type") != "m.room.message":
        return Known(kind=Kind.OTHER, sender=sender)
    if relates == "m.replace":
        return Known(kind=Kind.EDIT, sender=sender, target=target)
    thread = target if relates == "m.thread" else ""
    return Known(kind=Kind.MESSAGE, sender=sender, thread=thread, reply_to=_reply(relation) or thread)


def is_redacted(event: Event) -> bool:
    """True when an event was emptied by a redaction."""
    return "redacted_because" in event.get("unsigned", {}) or "redacted_because" in event


def redacts(event: Event) -> str:
    """Id of the event that a redaction empties: in its content since room version 11, beside it before."""
    return str(event.get("content", {}).get("redacts") or event.get("redacts") or "")


def _reply(relation: Mapping[str, Any]) -> str:
    answered = relation.get("m.in_reply_to")
    # In a thread, clients name the newest message as a fallback for those that know no threads: no true answer.
    if not isinstance(answered, Mapping) or relation.get("is_falling_back"):
        return ""
    return str(answered.get("event_id", ""))
