"""Records of topics as events: activities from ``enriched.v1``, recommendations from ``recommendation.v1``."""

from collections.abc import Callable

import orjson

from services.common import logs
from services.common.access import EVERYONE, AccessState
from services.common.activitystreams import as_json
from services.common.bus import Received
from services.common.codec import Codec
from services.common.envelope import CORRECTED, REDACTED, REDELIVERED, rfc3339
from services.common.errors import Reject
from services.common.model import Enriched, micros
from services.common.recommendation import Recommendation, recommendation_in
from services.common.records import enriched_in
from services.common.withdrawal import blank
from services.gateway.auth import Accounts
from services.gateway.filters import Facts, facts
from services.gateway.places import container_of
from services.gateway.reactions import Reactions
from services.gateway.stream.events import Made, Maker

_log = logs.get(__name__)
_enriched = Codec("enriched")
_recommendation = Codec("recommendation")

TAKEN_BACK = "withdrawn"
"""Type of the event that says: what was recommended under this object is recommended no more."""
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
        if record.value is None or REDELIVERED in record.headers or CORRECTED in record.headers:
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


def recommendations(access: AccessState, accounts: Accounts, reactions: Reactions) -> Maker:
    """Return the maker of events of recommendations: each for one person, with a reason that this person may read."""

    def make(record: Received) -> Made | None:
        try:
            one = recommendation_in(_recommendation.decode(record.value)) if record.value is not None else None
        except Reject as error:
            _log.warning("a recommendation cannot be read", offset=record.offset, reason=str(error))
            return None
        if one is None or one.held_out or reactions.hides(one):
            return None
        reason = _told(one, access, accounts)
        return _offered(one, reason, record.timestamp) if reason or one.withdrawn else None

    return make


def _told(one: Recommendation, access: AccessState, accounts: Accounts) -> str:
    """Return the reason as far as its evidence may be opened now."""
    principals = (EVERYONE, one.person, *accounts.accounts_of(one.person))
    whole = all(access.may_open(principals, thing.container, thing.object) for thing in one.evidence)
    return one.reason if whole else one.plain


def _offered(one: Recommendation, reason: str, stored: int) -> Made:
    offer = {
        "type": "Offer",
        "object": one.object,
        "activity": one.activity,
        "score": one.score,
        "surprise": one.surprise,
        "terms": dict(one.terms),
        "reason": reason,
        "published": rfc3339(one.published),
    }
    undone = {"type": "Undo", "object": one.object}
    nothing: frozenset[str] = frozenset()
    values = dict.fromkeys(("source", "type", "verb", "actor", "person", "tag"), nothing)
    about = Facts(values={**values, "container": frozenset({one.container})}, published=one.time, words=reason.lower())
    return Made(
        data=orjson.dumps(undone if one.withdrawn else offer),
        facts=about,
        container=one.container,
        object=one.object,
        recorded=stored * 1_000,
        kind=TAKEN_BACK if one.withdrawn else "",
        person=one.person,
        evidence=tuple((thing.container, thing.object) for thing in one.evidence) if reason == one.reason else (),
    )
