"""``/v1/me/people``: whom the asker should meet; ``/v1/trends``: what rises."""

from typing import Any

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway import paging, trends
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import name_of
from services.gateway.items import activity_of
from services.gateway.keys import ACCESS, ASKER, NAMES, TO_MEET, TRENDS
from services.gateway.meetings import MOST, Stranger, items_of
from services.gateway.respond import answer


async def people(request: web.Request) -> web.Response:
    """Answer with people to meet, each with common ground and who could introduce them."""
    asked.only(request.query, "limit")
    asker = somebody(request)
    found = await request.app[TO_MEET].strangers(asker, min(paging.size(request), MOST))
    here = paging.address(request, request.query.items())
    items = [_person(request, one) for one in found]
    return answer(request, {"@context": CONTEXT, **paging.collection(here, items, len(items))})


def _person(request: web.Request, one: Stranger) -> dict[str, Any]:
    for document in (document for common in one.common for document in common.documents):
        request.app[NAMES].learn_json(activity_of(document))
    return {
        "id": one.person,
        "type": "Person",
        "name": name_of(request, one.person),
        "common": [{"words": list(common.words), "items": items_of(common)} for common in one.common],
        "introducers": [
            {"id": person, "type": "Person", "name": name_of(request, person)} for person in one.introducers
        ],
    }


async def rising(request: web.Request) -> web.Response:
    """Answer with what rises where the asker may look."""
    asked.only(request.query, "kind", "container", "limit")
    kind = asked.one(request.query, "kind")
    if kind and kind not in trends.KINDS:
        raise asked.wrong("kind", f"one of {', '.join(trends.KINDS)} is expected")
    asker = request[ASKER]
    container = asked.value(request.query, "container")
    found = trends.seen(request.app[TRENDS], request.app[ACCESS], asker, kind=kind, container=container)
    here = paging.address(request, request.query.items())
    items = [_trend(request, one) for one in found[: paging.size(request)]]
    return answer(request, {"@context": CONTEXT, **paging.collection(here, items, len(items))})


def _trend(request: web.Request, one: trends.Seen) -> dict[str, Any]:
    names, asker = request.app[NAMES], request[ASKER]
    return {
        "type": "Trend",
        "kind": one.kind,
        "name": one.label,
        "words": list(one.words),
        "startTime": rfc3339(one.start),
        "endTime": rfc3339(one.end),
        "count": one.count,
        "expected": round(one.expected, 3),
        "score": round(one.score, 3),
        "places": [
            {
                "id": part["container"],
                "name": names.get(part["container"], asker) or part["container"],
                "count": part["count"],
                "expected": round(part["expected"], 3),
                "people": part["people"],
                "objects": list(part["objects"]),
            }
            for part in one.parts
        ],
    }
