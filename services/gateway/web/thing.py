"""The page of an object, with its history and its conversation, which goes on live."""

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiohttp import web

from services.common.activitystreams import as_json
from services.common.clock import now
from services.common.model import Enriched
from services.common.search import Document
from services.gateway import filters as asked
from services.gateway import finding, problems
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.filters import Filters
from services.gateway.items import activity_of
from services.gateway.keys import ACCESS, ASKER, DESK, INDEXED, MOUTH
from services.gateway.speaking import standing
from services.gateway.speaking.acts import NOTE
from services.gateway.web import cards, present, reacting
from services.gateway.web.frame import show

_INDEX_SECONDS = 2.0
"""How long the index is given for what the stream has shown already; it is as long for what one may not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newest:
    """An object as it stands: with what was said here a moment ago, which the index may not have yet."""

    activity: dict[str, Any]
    deleted: bool
    mine: bool


async def thing(request: web.Request) -> web.StreamResponse:
    """Show an object with its history and its conversation."""
    asked.only(request.query, *reacting.OPENED)
    id_ = request.match_info["id"]
    asker, desk = request[ASKER], request.app[DESK]
    document = await _indexed(desk, asker, id_)
    if document is None:
        raise problems.not_found()
    await reacting.opened(request, id_)
    newest = await _newest(request, id_, document)
    conversation = str(document.get("thread") or id_)
    wanted = Filters(values=(("thread", (conversation,)),))
    at = await request.app[INDEXED].position(asker, wanted)
    history, thread = await finding.around(desk, asker, document, size=cards.SHOWN)
    return await show(
        request,
        "object.html",
        "",
        thing=present.thing(newest.activity, deleted=newest.deleted),
        card=cards.card_of(request, newest.activity, now()),
        mine=newest.mine,
        source=newest.activity["object"].get("content", "") if newest.mine else "",
        conversation=conversation,
        following=cards.followed(request, conversation),
        stream=cards.stream(request, wanted.pairs(), at.text()),
        # The one act that made the object says nothing that the page does not say already.
        history=cards.cards_of(request, [activity_of(h.document) for h in history.hits]) if history.total > 1 else [],
        thread=cards.cards_of(request, [activity_of(hit.document) for hit in thread.hits]),
    )


async def _newest(request: web.Request, id_: str, document: Document) -> _Newest:
    indexed, deleted, asker = activity_of(document), bool(document.get("deleted")), request[ASKER]
    if not id_.startswith(NOTE) or deleted:
        return _Newest(activity=indexed, deleted=deleted, mine=False)
    app = request.app
    found = await standing.find(app[DESK], app[ACCESS], app[MOUTH], asker, id_)
    if found is None:
        return _Newest(activity=indexed, deleted=True, mine=False)
    said = found.activity
    newest = as_json(Enriched(activity=said, person=said.object.attributed_to, text=said.object.content))
    return _Newest(activity=newest, deleted=False, mine=found.by(asker))


async def _indexed(desk: Desk, asker: Asker, id_: str) -> Document | None:
    """Return an object's document. A card that has just come in live may be opened before the index has it."""
    end = monotonic() + _INDEX_SECONDS
    while True:
        document = (await desk.get(asker, "objects", [id_])).get(id_)
        if document is not None or monotonic() > end:
            return document
        await asyncio.sleep(_INDEX_SECONDS / 8)
