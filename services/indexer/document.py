"""Enriched activities as documents of the index. Pure: no I/O.

The version of an objects document is the place of its state on its connector's scale, then the enrichment's
generation; that of an activities document is its generation (docs/adr/0002-order-and-versions.md).
"""

from collections.abc import Iterable

import orjson

from services.common.activitystreams import as_json
from services.common.envelope import rfc3339
from services.common.model import EVERY_VERSION, REDACTED_GENERATION, ActivityType, Enriched
from services.common.search import Document, Write
from services.common.search.vectors import packed
from services.common.withdrawal import blank

_ALWAYS = frozenset((ActivityType.CREATE, ActivityType.DELETE))
_STATES = frozenset((ActivityType.UPDATE, ActivityType.MOVE, ActivityType.UNDO, ActivityType.OFFER))
"""Types whose object is whole, so that it replaces the old state; unless it is bare, as when a reaction is undone."""
_HIGHEST_GENERATION = 15


def writes(enriched: Enriched, *, withdrawn: bool, restricted: bool) -> list[Write]:
    """Return what is to be written for one enriched activity.

    ``withdrawn``: the source has taken this state back, so nothing of its content may be found.
    ``restricted``: the object is closed by itself to all but those it names.
    """
    gone = withdrawn or enriched.activity.type is ActivityType.DELETE
    shown = blank(enriched) if gone else enriched
    common = _common(shown, orjson.dumps(as_json(shown)).decode(), restricted=restricted)
    activity = activity_document(shown, common)
    found = [Write(kind="activities", id=activity["id"], document=activity, version=enriched.generation)]
    version = object_version(enriched)
    if version is not None:
        document = object_document(shown, common)
        found.append(Write(kind="objects", id=document["id"], document=document, version=version))
    return found


def object_version(enriched: Enriched) -> int | None:
    """Return the version that the activity gives its object's document; None where it says nothing of its state.

    An act on the object without its content (a review, a reaction) may at most stand in for it, in the lowest
    version, until a state arrives. What hides one of several versions says nothing of the state that holds.
    """
    activity, thing = enriched.activity, enriched.activity.object
    generation = min(enriched.generation, _HIGHEST_GENERATION)
    if activity.withdraws and EVERY_VERSION not in activity.withdraws:
        return None
    if _is_state(enriched):
        return activity.order << 4 | generation
    return generation if thing.title else None


def _is_state(enriched: Enriched) -> bool:
    activity, thing = enriched.activity, enriched.activity.object
    if activity.type in _ALWAYS or thing.content or enriched.generation >= REDACTED_GENERATION:
        return True
    return activity.type in _STATES and bool(thing.title)


def activity_document(e: Enriched, common: Document) -> Document:
    """Return the document of kind ``activities``; ``common`` are the fields that both kinds have."""
    activity = e.activity
    return _filled(
        common
        | {
            "id": activity.id,
            "type": activity.type.value,
            "recorded": rfc3339(activity.recorded),
            "actor": activity.actor.id,
            "object": activity.object.id,
            "object_type": activity.object.type,
            "burst": e.burst,
            "files": activity.files,
            "mentions": e.mention_people,
            "version": activity.object.version,
            "order": activity.order,
            "method": activity.provenance.method.value,
            "redacted": e.generation >= REDACTED_GENERATION,
        }
    )


def object_document(e: Enriched, common: Document) -> Document:
    """Return the document of kind ``objects``: the object in the state that this activity brought about."""
    activity = e.activity
    return _filled(
        common
        | {
            "id": activity.object.id,
            "type": activity.object.type,
            "activity": activity.id,
            "order": activity.order,
            "updated": rfc3339(activity.published),
            "deleted": activity.type is ActivityType.DELETE or EVERY_VERSION in activity.withdraws,
            "vector": packed(e.vector),
        }
    )


def _common(e: Enriched, stream: str, *, restricted: bool) -> Document:
    activity = e.activity
    return {
        "verb": activity.verb,
        "published": rfc3339(activity.published),
        "source": activity.provenance.source,
        "person": e.person,
        "people": _once((e.person, *e.coauthor_people)),
        "actor_name": activity.actor.name,
        "title": activity.object.title,
        "text": e.text,
        "url": activity.object.url,
        "tags": _once((*activity.tags, *e.tags)),
        "phrases": e.phrases,
        "context": _once(c.id for c in activity.context),
        "container": container_of(e),
        "thread": e.thread,
        "restricted": restricted,
        "automated": e.automated,
        "language": e.language or activity.object.language,
        "as2": stream,
    }


def container_of(e: Enriched) -> str:
    """Return the container that decides over the activity; empty (nobody may open it) where none is named."""
    named = e.activity.audience.container
    return named or next((c.id for c in reversed(e.activity.context) if c.type != "Thread"), "")


def _once(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]


def _filled(document: Document) -> Document:
    """Leave out what is empty: a field that is not there costs nothing and is found as absent."""
    return {name: value for name, value in document.items() if value or value is False or value == 0}
