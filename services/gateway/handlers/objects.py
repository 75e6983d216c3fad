"""``/v1/objects/{id}``: an object in its newest state, with its history and its conversation."""

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.gateway import filters as asked
from services.gateway import finding, paging
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK
from services.gateway.problems import not_found
from services.gateway.respond import answer


async def one(request: web.Request) -> web.Response:
    """Answer with one object."""
    asked.only(request.query)
    id_ = request.match_info["id"]
    asker, desk = request[ASKER], request.app[DESK]
    document = (await desk.get(asker, "objects", [id_])).get(id_)
    if document is None:
        raise not_found()
    history, thread = await finding.around(desk, asker, document)
    activity = activity_of(document)
    here = paging.address(request, ())
    before = [activity_of(hit.document) for hit in history.hits]
    said = [activity_of(hit.document) for hit in thread.hits]
    return answer(
        request,
        {
            "@context": CONTEXT,
            **activity["object"],
            "deleted": bool(document.get("deleted")),
            "activity": activity,
            "history": paging.collection(f"{here}#history", before, history.total),
            "thread": paging.collection(f"{here}#thread", said, thread.total),
        },
    )
