"""Where something said stands: found in the index, or among what was said here a moment ago."""

from dataclasses import dataclass

import orjson

from services.common.access import AccessView
from services.common.activitystreams import parse
from services.common.model import Activity, ActivityType, Container, Visibility
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.places import container_of
from services.gateway.speaking.acts import NOTE, SOURCE, Place
from services.gateway.speaking.mouth import Mouth


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest state of an object that may be opened, and the conversation that it is part of."""

    activity: Activity
    thread: str

    def is_note(self) -> bool:
        """Return whether it was said here."""
        return self.activity.provenance.source == SOURCE and self.activity.object.id.startswith(NOTE)

    def by(self, asker: Asker) -> bool:
        """Return whether the asker said it."""
        return self.is_note() and self.activity.object.attributed_to in asker.principals

    def answered(self, visibility: Visibility) -> Place:
        """Return where an answer to it stands: in the same place and conversation."""
        places = tuple(one for one in self.activity.context if one.type != "Thread")
        return Place(
            context=(*places, Container(id=self.thread, type="Thread")),
            container=container_of(self.activity),
            visibility=visibility,
            in_reply_to=self.activity.object.id,
        )


async def find(desk: Desk, access: AccessView, mouth: Mouth, asker: Asker, object_id: str) -> Standing | None:
    """Return an object as it stands now; None where it is absent, deleted, or the asker may not open it."""
    found = _said_just_now(access, mouth, asker, object_id)
    document = (await desk.get(asker, "objects", [object_id])).get(object_id)  # asked always: time must not tell
    if found is None and document is not None and not document.get("deleted"):
        found = Standing(parse(orjson.loads(document["as2"])), str(document.get("thread") or object_id))
    return None if found is None or found.activity.type is ActivityType.DELETE else found


def _said_just_now(access: AccessView, mouth: Mouth, asker: Asker, object_id: str) -> Standing | None:
    activity = mouth.recent(object_id)
    if activity is None or not access.may_open(asker.principals, container_of(activity), object_id):
        return None
    threads = [one.id for one in activity.context if one.type == "Thread"]
    return Standing(activity, threads[-1] if threads else activity.object.in_reply_to or object_id)
