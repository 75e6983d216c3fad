"""``/v1/me``: who is asking, and what is recommended to them."""

from typing import Any

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.gateway import filters as asked
from services.gateway import paging, preferences
from services.gateway.auth import Asker
from services.gateway.foryou import Suggested
from services.gateway.handlers.people import name_of
from services.gateway.keys import ASKER, AUTH, DIRECTORY, FOR_YOU, FOR_YOU_HUB, RECOMMENDATIONS
from services.gateway.problems import Problem
from services.gateway.respond import answer


async def me(request: web.Request) -> web.Response:
    """Answer with who is asking."""
    asked.only(request.query)
    asker = request[ASKER]
    return answer(
        request,
        {
            "@context": CONTEXT,
            "type": "Person",
            "id": asker.person,
            "name": name_of(request, asker.person),
            "accounts": list(request.app[DIRECTORY].accounts_of(asker.person)),
            "auth": request.app[AUTH].mode,
            "roles": sorted(asker.roles),
            "scopes": sorted(asker.scopes),
        },
    )


async def for_you(request: web.Request) -> web.Response:
    """Answer with recommendations, each with its terms and a reason in words."""
    asked.only(request.query, "surprise", "limit")
    asker = somebody(request)
    surprise = asked.share(request.query, "surprise", default=preferences.of(request, asker.person).surprise)
    at = request.app[FOR_YOU_HUB].position()
    await request.app[RECOMMENDATIONS].reached(at.offsets)  # all that the stream has given up to there
    found = await request.app[FOR_YOU].suggested(asker, dial=surprise, size=paging.size(request))
    here = paging.address(request, request.query.items())
    items = [item_of(one) for one in found]
    live = paging.Live(id=at.text(), query=[("feed", "for-you")])
    stream = paging.stream_of(request, live)
    document = {**paging.collection(here, items, len(items)), "surprise": surprise, "stream": stream}
    return answer(
        request, {"@context": CONTEXT, **document}, links=[paging.stream_link(stream, live)], same=[items, surprise]
    )


def somebody(request: web.Request) -> Asker:
    """Return the asker, who must be a person; raises Problem for nobody in particular."""
    asker = request[ASKER]
    if not asker.person:
        raise Problem(401, "who-asks", "This is somebody's own; say who you are, in demo mode by ?as=PERSON.")
    return asker


def item_of(one: Suggested) -> dict[str, Any]:
    """Return an item of the list: the object's newest activity, and why it is shown."""
    r = one.recommendation
    return one.activity | {
        "reason": one.reason,
        "score": round(one.score, 6),
        "surprise": round(r.surprise, 6),
        "terms": {name: round(value, 6) for name, value in r.terms.items()},
        "evidence": list(one.evidence),
        "trigger": r.activity,
        "model": r.model,
    }
