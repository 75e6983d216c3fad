"""``/v1/me/following`` and ``/v1/me/mentions``: newest first and nothing else; and how far each was read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway import follows, paging, personal
from services.gateway.feedback import Feedback
from services.gateway.handlers import bodies
from services.gateway.handlers.feedback import store
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import name_of
from services.gateway.keys import DIRECTORY, REACTIONS, REMEMBERED
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer
from services.gateway.stream.selection import Feed

FOLLOWING: Feed = "following"
_LONGEST = 1_000


async def feed(request: web.Request) -> web.Response:
    """Answer with one page of what the asker follows; what is newer than the read mark is marked as unread."""
    return await _page(request, FOLLOWING)


async def mentions(request: web.Request) -> web.Response:
    """Answer with one page of what mentions the asker, likewise."""
    return await _page(request, "mentions")


async def notifications(request: web.Request) -> web.Response:
    """Answer with one page of what the asker's rules notify of, likewise."""
    return await _page(request, "notifications", notices=personal.notices(request, somebody(request).person))


async def _page(request: web.Request, feed: Feed, **more: Any) -> web.Response:
    asked.only(request.query, "limit", "cursor")
    found = await personal.page(
        request, somebody(request), feed, size=paging.size(request), cursor=paging.cursor(request)
    )
    read = rfc3339(found.read) if found.read else ""
    return paging.answered(request, found.page, found.items, unread=found.unread, readUntil=read, **more)


class Mark(bodies.Body):
    """How far a feed was read: everything published before this time. Now, where no time is given."""

    until: str = ""


async def mark(request: web.Request) -> web.Response:
    """Take it that what one follows was read up to a time; a mark may be set back."""
    return await _mark(request, FOLLOWING)


async def mark_mentions(request: web.Request) -> web.Response:
    """Take it that what mentions one was read up to a time, likewise."""
    return await _mark(request, "mentions")


async def mark_notifications(request: web.Request) -> web.Response:
    """Take it that what one's rules notify of was read up to a time, likewise; notices until then are taken away."""
    return await _mark(request, "notifications")


async def _mark(request: web.Request, feed: Feed) -> web.Response:
    asked.only(request.query)
    person = somebody(request).person
    given = await bodies.read(request, Mark)
    await personal.mark(request, person, feed, moment(given.until) if given.until else None)
    return web.Response(status=204)


def moment(text: str) -> datetime:
    """Return a time; raises Problem for what is none."""
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
    await begin(request, somebody(request).person, ref_of(request.match_info["ref"]))
    return web.Response(status=204)


async def begin(request: web.Request, person: str, ref: str) -> None:
    """Follow; raises Problem for a search that is not kept, and where one follows as much as one may."""
    mine = request.app[REACTIONS].follows(person)
    if ref.startswith(follows.SEARCH):
        name = ref.removeprefix(follows.SEARCH)
        if name not in follows.searches(request.app[REMEMBERED], person):
            raise not_found()
    if ref not in mine and len(mine) >= follows.MOST:
        raise Problem(409, "too-much", f"You follow {follows.MOST} things already; leave one first.")
    await store(request, [Feedback(person=person, subject=ref, kind="follow")])


async def unfollow(request: web.Request) -> web.Response:
    """Follow it no more; it is the same when it was not followed."""
    asked.only(request.query)
    person = somebody(request).person
    await end(request, person, ref_of(request.match_info["ref"]))
    return web.Response(status=204)


async def end(request: web.Request, person: str, ref: str) -> None:
    """Follow it no more."""
    await store(request, [Feedback(person=person, subject=ref, kind="follow", undone=True)])


def ref_of(ref: str) -> str:
    """Return what can be followed; raises Problem for what cannot be an id."""
    if not 0 < len(ref) <= _LONGEST or not ref.isprintable():
        raise asked.wrong("ref", f"an id of 1 to {_LONGEST} printable characters is expected")
    return ref
