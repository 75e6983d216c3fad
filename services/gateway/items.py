"""Documents of the index as the activities they hold."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.common.search import Document, Hit


def activity_of(document: Document) -> dict[str, Any]:
    """Return the activity in a document of either kind, as ActivityStreams JSON."""
    found: dict[str, Any] = orjson.loads(document["as2"])
    return found


def hit_of(hit: Hit) -> dict[str, Any]:
    """Return a hit: the activity that brought the object into its state, with score and highlights."""
    more: dict[str, Any] = {"score": hit.score}
    if hit.highlights:
        more["highlights"] = {name: list(fragments) for name, fragments in hit.highlights.items()}
    return activity_of(hit.document) | more


def title_of(activity: Mapping[str, Any]) -> str:
    """Return a line that stands for an activity's object."""
    thing = activity["object"]
    return str(thing.get("title") or " ".join((thing.get("content") or "").split())[:80] or thing["id"])
