"""Feeds of one's own, newest first: what one follows, what mentions one, what one's rules notify of; and read marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from aiohttp import web

from services.common.clock import now
from services.common.envelope import rfc3339
from services.common.search import Page, Query
from services.common.search.conditions import Condition, Either, Every, Has, Not, Published
from services.gateway import follows
from services.gateway.auth import Asker
from services.gateway.deliveries.owed import NOTICE
from services.gateway.handlers import bodies
from services.gateway.items import activity_of
from services.gateway.keys import DESK, NAMES, REACTIONS, REMEMBERED
from services.gateway.rules.own import Own

Feed = Literal["following", "mentions", "notifications"]
FEEDS: tuple[Feed, ...] = get_args(Feed)
READ = "read/"
"""Names of settings that hold how far a feed was read."""
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
    desk, rules = request.app[DESK], Own.of(request.app[REMEMBERED], asker.person)
    where, read = condition(request, asker, feed, rules), read_until(request, asker, feed)
    found = await desk.find(asker, _query(where, size=size, cursor=cursor))
    unread = await desk.find(asker, _query(_unread(where, asker, read), size=1))
    marks = await rules.marks(desk, asker, [hit.id for hit in found.hits])
    items = [_marked(activity_of(hit.document), asker.person, read, marks.get(hit.id, ())) for hit in found.hits]
    for item in items:
        request.app[NAMES].learn_json(item)
    return Personal(page=found, items=items, unread=unread.total, read=read)


async def unread(request: web.Request, asker: Asker, feeds: Sequence[Feed]) -> int:
    """Return how many activities are unread in any of some feeds, each counted once."""
    rules = Own.of(request.app[REMEMBERED], asker.person)
    parts = [_unread(condition(request, asker, feed, rules), asker, read_until(request, asker, feed)) for feed in feeds]
    return (await request.app[DESK].find(asker, _query(Either(tuple(parts)), size=1))).total


def condition(request: web.Request, asker: Asker, feed: Feed, rules: Own) -> Condition:
    """Return what holds of the activities of a feed."""
    if feed == "mentions":
        return Has("mentions", (asker.person,))
    if feed == "notifications":
        return rules.without_muted(rules.doing("notify"))
    mine = request.app[REACTIONS].follows(asker.person)
    saved = follows.searches(request.app[REMEMBERED], asker.person)
    return rules.without_muted(follows.followed(mine, saved))


def read_until(request: web.Request, asker: Asker, feed: Feed) -> datetime | None:
    """Return the read mark of a feed; None where nothing was marked as read yet."""
    value = request.app[REMEMBERED].get(asker.person, READ + feed)
    return datetime.fromisoformat(value["until"]) if value else None


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


def _unread(where: Condition, asker: Asker, read: datetime | None) -> Condition:
    newer = (Published(since=read),) if read else ()
    return Every((where, Not(Has("person", (asker.person,))), *newer))


def _query(where: Condition, *, size: int, cursor: str = "") -> Query:
    return Query(kind="activities", principals=(), where=where, size=size, cursor=cursor)


def _marked(activity: dict[str, Any], person: str, read: datetime | None, marks: Sequence[str]) -> dict[str, Any]:
    news = read is None or datetime.fromisoformat(activity["published"]) >= read
    return activity | {"unread": news and activity.get("person") != person, "marks": list(marks)}
