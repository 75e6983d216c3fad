"""``/v1/me/following`` and ``/v1/me/mentions``: newest first and nothing else; and how far each was read."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.common.clock import now
from services.common.envelope import rfc3339
from services.common.search import Query
from services.common.search.conditions import Condition, Every, Has, Not
from services.gateway import filters as asked
from services.gateway import follows, paging
from services.gateway.feedback import Feedback
from services.gateway.handlers import bodies
from services.gateway.handlers.feedback import store
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import name_of
from services.gateway.items import activity_of
from services.gateway.keys import DESK, DIRECTORY, NAMES, REACTIONS, REMEMBERED
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer
from services.gateway.rules.own import Own

READ = "read/"
"""Names of settings that hold how far a feed was read."""
FOLLOWING = "following"
MENTIONS = "mentions"
NOTIFICATIONS = "notifications"
_LONGEST = 1_000


async def feed(request: web.Request) -> web.Response:
    """Answer with one page of what the asker follows; what is newer than the read mark is marked as unread."""
    asked.only(request.query, "limit", "cursor")
    where, rules = _where(request, somebody(request).person), _rules(request)
    return await _page(request, FOLLOWING, rules.without_muted(where), rules)


async def mentions(request: web.Request) -> web.Response:
    """Answer with one page of what mentions the asker, likewise."""
    asked.only(request.query, "limit", "cursor")
    return await _page(request, MENTIONS, Has("mentions", (somebody(request).person,)), _rules(request))


async def notifications(request: web.Request) -> web.Response:
    """Answer with one page of what the asker's rules notify of, likewise."""
    asked.only(request.query, "limit", "cursor")
    rules = _rules(request)
    return await _page(request, NOTIFICATIONS, rules.without_muted(rules.notifying()), rules)


def _rules(request: web.Request) -> Own:
    return Own.of(request.app[REMEMBERED], somebody(request).person)


async def _page(request: web.Request, feed: str, where: Condition, rules: Own) -> web.Response:
    asker, desk = somebody(request), request.app[DESK]
    read = _read_until(request, asker.person, feed)
    page = await desk.find(
        asker,
        Query(kind="activities", principals=(), where=where, size=paging.size(request), cursor=paging.cursor(request)),
    )
    theirs = Every((where, Not(Has("person", (asker.person,)))))
    unread = await desk.find(asker, Query(kind="activities", principals=(), where=theirs, since=read, size=1))
    marks = await rules.marks(desk, asker, [hit.id for hit in page.hits])
    items = [_marked(activity_of(hit.document), asker.person, read, marks.get(hit.id, ())) for hit in page.hits]
    for item in items:
        request.app[NAMES].learn_json(item)
    return paging.answered(request, page, items, unread=unread.total, readUntil=rfc3339(read) if read else "")


def _where(request: web.Request, person: str) -> Condition:
    return follows.followed(request.app[REACTIONS].follows(person), follows.searches(request.app[REMEMBERED], person))


def _read_until(request: web.Request, person: str, feed: str) -> datetime | None:
    value = request.app[REMEMBERED].get(person, READ + feed)
    return datetime.fromisoformat(value["until"]) if value else None


def _marked(activity: dict[str, Any], person: str, read: datetime | None, marks: Sequence[str]) -> dict[str, Any]:
    news = read is None or datetime.fromisoformat(activity["published"]) >= read
    return activity | {"unread": news and activity.get("person") != person, "marks": list(marks)}


class Mark(bodies.Body):
    """How far a feed was read: everything published before this time. Now, where no time is given."""

    until: str = ""


async def mark(request: web.Request) -> web.Response:
    """Take it that what one follows was read up to a time; a mark may be set back."""
    return await _mark(request, FOLLOWING)


async def mark_mentions(request: web.Request) -> web.Response:
    """Take it that what mentions one was read up to a time, likewise."""
    return await _mark(request, MENTIONS)


async def mark_notifications(request: web.Request) -> web.Response:
    """Take it that what one's rules notify of was read up to a time, likewise."""
    return await _mark(request, NOTIFICATIONS)


async def _mark(request: web.Request, feed: str) -> web.Response:
    asked.only(request.query)
    person = somebody(request).person
    given = await bodies.read(request, Mark)
    until = rfc3339(_moment(given.until) if given.until else now())
    await bodies.remember(request, person, READ + feed, {"until": until})
    return web.Response(status=204)


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(400, "bad-body", "until: a time as in 2026-03-01T12:00:00Z is expected.") from None


async def every(request: web.Request) -> web.Response:
    """Answer with all that the asker follows."""
    asked.only(request.query)
    person = somebody(request).person
    saved = follows.searches(request.app[REMEMBERED], person)
    items = [_shown(request, ref, saved) for ref in request.app[REACTIONS].follows(person)]
    return answer(request, paging.collection(paging.address(request, ()), items, len(items)))


def _shown(request: web.Request, ref: str, saved: Mapping[str, str]) -> dict[str, str]:
    """Return what is followed, with its name where the asker may know one."""
    if ref.startswith(follows.SEARCH):
        return {"id": ref, "type": "Search", "query": saved.get(ref.removeprefix(follows.SEARCH), "")}
    name = name_of(request, ref)
    if request.app[DIRECTORY].name_of(ref) or request.app[DIRECTORY].accounts_of(ref):
        return {"id": ref, "type": "Person", "name": name}
    return {"id": ref, "type": "Place" if name != ref else "Object", "name": name}


async def follow(request: web.Request) -> web.Response:
    """Follow somebody, some place, a tag, or a saved search; answers once Kafka has acknowledged."""
    asked.only(request.query)
    person, ref = somebody(request).person, _ref(request)
    mine = request.app[REACTIONS].follows(person)
    if ref.startswith(follows.SEARCH):
        name = ref.removeprefix(follows.SEARCH)
        if name not in follows.searches(request.app[REMEMBERED], person):
            raise not_found()
    if ref not in mine and len(mine) >= follows.MOST:
        raise Problem(409, "too-much", f"You follow {follows.MOST} things already; leave one first.")
    await store(request, [Feedback(person=person, subject=ref, kind="follow")])
    return web.Response(status=204)


async def unfollow(request: web.Request) -> web.Response:
    """Follow it no more; it is the same when it was not followed."""
    asked.only(request.query)
    person = somebody(request).person
    await store(request, [Feedback(person=person, subject=_ref(request), kind="follow", undone=True)])
    return web.Response(status=204)


def _ref(request: web.Request) -> str:
    ref = request.match_info["ref"]
    if len(ref) > _LONGEST or not ref.isprintable():
        raise asked.wrong("ref", f"an id of at most {_LONGEST} printable characters is expected")
    return ref
