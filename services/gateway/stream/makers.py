"""Records of topics as events: activities from ``enriched.v1``, recommendations from ``recommendation.v1``."""

from collections.abc import Callable, Sequence
from itertools import zip_longest

import orjson

from services.common import logs
from services.common.access import AccessState
from services.common.activitystreams import as_json
from services.common.bus import Received
from services.common.codec import Codec
from services.common.envelope import REDACTED, REDELIVERED, rfc3339
from services.common.errors import Reject
from services.common.model import Enriched, micros
from services.common.records import enriched_in
from services.common.withdrawal import blank
from services.gateway.filters import Facts, facts
from services.gateway.places import container_of
from services.gateway.stream.events import Made, Maker

_log = logs.get(__name__)
_enriched = Codec("enriched")
_recommendation = Codec("recommendation")

WITHDRAWN = "redacted"
"""Type of the event that says: what you may have been given under this id had content, and its source took it back."""


def read_enriched(record: Received) -> Enriched | None:
    """Return the activity of a record of ``enriched.v1``; None (and a line in the log) where it cannot be read."""
    try:
        return enriched_in(_enriched.decode(record.value or b""))
    except (Reject, ValueError) as error:
        _log.warning("a record cannot be read and is not streamed", offset=record.offset, reason=str(error))
        return None


def activities(access: AccessState, learn: Callable[[Enriched], None]) -> Maker:
    """Return the maker of events of activities. ``learn`` is told of each one (names of people and places)."""

    def make(record: Received) -> Made | None:
        if record.value is None or REDELIVERED in record.headers:
            return None
        enriched = read_enriched(record)
        if enriched is None:
            return None
        withdrawn = _withdrawn(access, enriched)
        shown = blank(enriched) if withdrawn else enriched
        learn(shown)
        return _made(shown, kind=WITHDRAWN if REDACTED in record.headers else "", withdrawn=withdrawn)

    return make


def _withdrawn(access: AccessState, e: Enriched) -> bool:
    return access.withdrawn(e.activity.object.id, e.activity.object.version, e.activity.order)


def _made(e: Enriched, *, kind: str, withdrawn: bool) -> Made:
    activity = e.activity
    return Made(
        data=orjson.dumps(as_json(e)),
        facts=facts(e),
        container=container_of(activity),
        object=activity.object.id,
        version=activity.object.version,
        order=activity.order,
        blank=withdrawn,
        recorded=micros(activity.recorded),
        kind=kind,
    )


def recommendations(record: Received) -> Made | None:
    """Return the event of a recommendation: for one person, and nothing of the object but its id."""
    if record.value is None:
        return None
    try:
        r = _recommendation.decode(record.value)
    except Reject as error:
        _log.warning("a recommendation cannot be read", offset=record.offset, reason=str(error))
        return None
    if r["withdrawn"] or r["heldOut"]:
        return None
    shown = {
        "type": "Offer",
        "object": r["object"],
        "activity": r["activity"],
        "score": r["score"],
        "terms": r["terms"],
        "reason": r["reason"],
        "published": rfc3339(r["published"]),
    }
    nothing: frozenset[str] = frozenset()
    values = dict.fromkeys(("source", "type", "verb", "actor", "person", "tag"), nothing)
    about = Facts(
        values={**values, "container": frozenset({r["container"]})},
        published=micros(r["published"]),
        words=r["reason"].lower(),
    )
    return Made(
        data=orjson.dumps(shown),
        facts=about,
        container=r["container"],
        object=r["object"],
        recorded=micros(r["recorded"]),
        person=r["person"],
        evidence=_evidence(r["evidence"], r["evidenceContainers"]),
    )


def _evidence(things: Sequence[str], containers: Sequence[str]) -> tuple[tuple[str, str], ...]:
    # The first version of the record did not say where its evidence lies: such a place is nobody's.
    return tuple(zip_longest(containers[: len(things)], things, fillvalue=""))
