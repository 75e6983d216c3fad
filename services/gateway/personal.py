"""Feeds of one's own, newest first: what one follows, what mentions one, what one's rules notify of; and read marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from services.common.clock import now
from services.common.envelope import rfc3339
from services.common.search import Page, Query
from services.gateway.auth import Asker
from services.gateway.deliveries.owed import NOTICE
from services.gateway.handlers import bodies
from services.gateway.items import activity_of
from services.gateway.keys import DESK, NAMES, REMEMBERED, UNREAD
from services.gateway.rules.own import Own
from services.gateway.stream.selection import Feed
from services.gateway.unread import READ

_NOTICES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """One page of a feed. ``items`` say whether they are ``unread``, and the ``marks`` that rules give them."""

    page: Page
    items: Sequence[dict[str, Any]]
    unread: int
    read: datetime | None


async def page(request: web.Request, asker: Asker, feed: Feed, *, size: int, cursor: str) -> Personal:
    """Return one page of a feed; what is newer than the read mark, and not one's own, is unread."""
    desk, own, person = request.app[DESK], request.app[UNREAD], asker.person
    where, read = own.condition(person, feed), own.read_until(person, feed)
    asked = Query(kind="activities", principals=(), where=where, size=size, cursor=cursor)
    found, unread = await desk.find_all(asker, [asked, own.query(person, (feed,))])
    marks = await Own.of(request.app[REMEMBERED], person).marks(desk, asker, [hit.id for hit in found.hits])
    items = [_marked(activity_of(hit.document), person, read, marks.get(hit.id, ())) for hit in found.hits]
    for item in items:
        request.app[NAMES].learn_json(item)
    return Personal(page=found, items=items, unread=unread.total, read=read)


async def mark(request: web.Request, person: str, feed: Feed, until: datetime | None = None) -> None:
    """Take it that a feed was read up to a time, or up to now; a mark may be set back."""
    at = until or now()
    if feed == "notifications":
        kept = request.app[REMEMBERED].of(person, NOTICE).items()
        with bodies.kafka():
            gone = [NOTICE + name for name, one in kept if datetime.fromisoformat(one["at"]) < at]
            await request.app[REMEMBERED].put_all((person, name, None) for name in gone)
    await bodies.remember(request, person, READ + feed, {"until": rfc3339(at)})


def notices(request: web.Request, person: str) -> list[dict[str, Any]]:
    """Return what a person is to be told of their rules and digests (``at``, ``text``), the newest first."""
    kept = request.app[REMEMBERED].of(person, NOTICE).values()
    return sorted(kept, key=lambda one: str(one["at"]), reverse=True)[:_NOTICES]


def _marked(activity: dict[str, Any], person: str, read: datetime | None, marks: Sequence[str]) -> dict[str, Any]:
    news = read is None or datetime.fromisoformat(activity["published"]) >= read
    return activity | {"unread": news and activity.get("person") != person, "marks": list(marks)}
