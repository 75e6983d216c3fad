"""An activity with what a test changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.common.model import (
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Object,
    Provenance,
)
from services.enrich.draft import Draft

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOM = Container(id="chat:room", type="Channel", name="room")


def activity(number: int = 1, content: str = "", *, by: str = "ann", hours: float = 0, **changes: Any) -> Activity:
    """Return a message of number; ``object_*`` arguments change its object, others itself."""
    of_object = {name.removeprefix("object_"): changes.pop(name) for name in list(changes) if name[:7] == "object_"}
    one = Activity(
        id=f"chat:{number}#chat.message",
        type=ActivityType.CREATE,
        verb="chat.message",
        published=NOON + timedelta(hours=hours),
        actor=Account(id=f"chat:{by}", name=by.title(), handle=by),
        object=Object(id=f"chat:{number}", type="Note", content=content),
        context=(ROOM,),
        audience=Audience(container=ROOM.id),
        provenance=Provenance(source="chat"),
    )
    return replace(one, object=replace(one.object, **of_object), **changes)


def draft(*args: Any, body: str | None = None, **changes: Any) -> Draft:
    """Return a draft of such an activity, its text as after the text step."""
    one = Draft(activity(*args, **changes))
    one.body = one.text = body if body is not None else one.activity.object.content
    return one
