"""The live feed of everything that one may see, from the index; from memory while there is none."""

from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web

from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.filters import Filters
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK, HUB, INDEXED, NAMES
from services.gateway.stream.fanout import may_read
from services.gateway.web import cards, topics
from services.gateway.web.frame import show


async def live(request: web.Request) -> web.StreamResponse:
    """Show the live feed, from the index; from memory while there is none."""
    asked.only(request.query, *asked.FIELDS, "since", "until", "q", "cursor")
    wanted = asked.read(request.query)
    asker = request[ASKER]
    cursor = paging.cursor(request)
    stream, older, places = "", "", []
    try:
        at = await request.app[INDEXED].position(asker, wanted)
        page = await request.app[DESK].find(
            asker, cards.feed(wanted, cursor, facets=() if wanted.values else ("context",))
        )
        activities = [activity_of(hit.document) for hit in page.hits]
        older = cards.older(request, page)
        places = await cards.places(request, page)
    except cards.AWAY:
        at = request.app[HUB].position()
        activities = _from_memory(request, wanted)
    if not cursor:
        stream = cards.stream(request, wanted.pairs(), at.text())
    chosen = wanted.get("container")
    subject = _subject(wanted)
    return await show(
        request,
        "live.html",
        "live",
        cards=cards.cards_of(request, activities),
        places=places,
        place=", ".join([*(request.app[NAMES].get(one, asker) or one for one in chosen), *wanted.get("tag")]),
        subject=subject,
        topics=_topics(wanted, subject),
        following=cards.followed(request, subject),
        stream=stream,
        atom="/v1/feed.atom" + (f"?{urlencode(wanted.pairs())}" if wanted.pairs() else ""),
        next=older,
    )


def _subject(wanted: Filters) -> str:
    """Return the place or the tag that alone is asked for, which can be followed; empty for other questions."""
    asked_for = [pair for pair in wanted.pairs() if pair[0] in ("container", "tag")]
    return asked_for[0][1] if len(asked_for) == len(wanted.pairs()) == 1 else ""


def _topics(wanted: Filters, subject: str) -> str:
    """Return where the topics of the place are, or the picture of the tag, that alone is asked for; else nothing."""
    if not subject:
        return ""
    return topics.href(("place", subject)) if wanted.get("container") else topics.topic_href(subject)


def _from_memory(request: web.Request, wanted: Filters) -> list[dict[str, Any]]:
    """Return the newest activities that the ring still holds, newest first."""
    hub, asker = request.app[HUB], request[ASKER]
    found: list[dict[str, Any]] = []
    for event in hub.ring.newest():
        made = event.current(hub.access)
        if made and made.facts.match(wanted) and may_read(hub.access, made, asker.principals, asker.person):
            found.append(orjson.loads(made.data))
            if len(found) == cards.SHOWN:
                break
    return sorted(found, key=lambda one: str(one["published"]), reverse=True)
