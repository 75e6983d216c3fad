"""Every address of the page, once: who shows it, and what its forms are sent to."""

from collections.abc import Mapping

from aiohttp import web

from services.gateway.problems import Handler
from services.gateway.web import (
    everything,
    following,
    for_you,
    frame,
    groups,
    inbox,
    meet,
    notes,
    people,
    rules,
    search,
    settings,
    thing,
    topics,
    viewers,
)

PAGES: Mapping[str, Handler] = {
    "/": everything.live,
    "/following": following.page,
    "/for-you": for_you.for_you,
    "/mentions": inbox.mentions,
    "/notifications": inbox.notifications,
    "/groups": groups.every,
    "/groups/{id:.+}": groups.one,
    "/rules": rules.page,
    "/settings": settings.page,
    "/search": search.search,
    "/topics": topics.every,
    "/topics/{topic:.+}": topics.one,
    "/people": people.people,
    "/people/{id:.+}": people.person,
    "/objects/{id:.+}": thing.thing,
}
POSTS: Mapping[str, Handler] = {
    "/follow": following.follow,
    "/read": following.read,
    "/searches": following.search,
    "/for-you/feedback": for_you.react,
    "/people/feedback": meet.react,
    "/say": notes.say,
    "/notes/edit": notes.edit,
    "/notes/delete": notes.remove,
    "/groups": groups.make,
    "/groups/part": groups.take_part,
    "/rules": rules.keep,
    "/rules/remove": rules.remove,
    "/rules/secret": rules.new_secret,
    "/settings": settings.put,
    "/settings/unmute": settings.unmute,
    "/settings/digest": settings.choose_digest,
    "/settings/tokens": settings.make_token,
    "/settings/tokens/revoke": settings.revoke_token,
}


def add_routes(app: web.Application) -> None:
    """Add the pages, what their forms are sent to, and what they keep."""
    frame.add_routes(app, PAGES, POSTS)
    viewers.prepare(app)
