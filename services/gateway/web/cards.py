"""What pages of cards share: activities as cards, places with counts, and links to older and newer ones."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.common.clock import now
from services.common.errors import Retry, Stop
from services.common.search import Page, Query
from services.gateway.auth import PARAMETER
from services.gateway.filters import Filters
from services.gateway.handlers.people import known_name
from services.gateway.handlers.stream import COUNTS
from services.gateway.keys import ASKER, AUTH, NAMES, REACTIONS
from services.gateway.web import present, viewers
from services.gateway.web.present import Card, Party

SHOWN = 30
"""Cards of a page."""
NOT_YET = "Search does not answer just now. The live feed works; try again in a moment."
AWAY = (Retry, Stop, TimeoutError)
"""What is raised while the index does not answer."""


def cards_of(request: web.Request, activities: Sequence[dict[str, Any]]) -> list[Card]:
    """Return activities as cards."""
    at = now()
    return [card_of(request, one, at) for one in activities]


def card_of(request: web.Request, activity: dict[str, Any], at: datetime) -> Card:
    """Return an activity as a card, and learn the names in it."""
    request.app[NAMES].learn_json(activity)
    actor = activity["actor"]
    if not actor.get("name"):
        name = known_name(request, activity.get("person") or actor["id"])
        activity = activity | {"actor": actor | {"name": name}}
    return present.card(activity, at, request[ASKER].person)


async def places(request: web.Request, page: Page) -> list[tuple[Party, int]]:
    """Return the places that a page was counted by."""
    counted = page.facets.get("context", {})
    await viewers.learn(request, list(counted), page)
    names = ((one, request.app[NAMES].get(one, request[ASKER])) for one in counted)
    named = [(one, name) for one, name in names if name]  # threads have no name here
    return [(present.party(one, name, "places"), counted[one]) for one, name in named[:12]]


def older(request: web.Request, page: Page) -> str:
    """Return the address of the next page; empty on the last one."""
    return _turned(request, page.next)


def newer(request: web.Request, page: Page) -> str:
    """Return the address of the page before; empty on the first one."""
    return _turned(request, page.previous)


def _turned(request: web.Request, cursor: str) -> str:
    if not cursor:
        return ""
    kept = [(n, v) for n, v in request.query.items() if n != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"


def since(read: datetime | None) -> str:
    """Return when something was read last, in words; empty where it never was."""
    return present.ago(read, now()) if read else ""


def followed(request: web.Request, subject: str) -> bool:
    """Return whether the asker follows something."""
    return "follow" in request.app[REACTIONS].of(request[ASKER].person, subject)


def feed(wanted: Filters, cursor: str, facets: tuple[str, ...] = ()) -> Query:
    """Return the question for a page of activities, newest first."""
    return wanted.activities(size=SHOWN, cursor=cursor, facets=facets)


def stream(request: web.Request, parameters: Sequence[tuple[str, str]], position: str = "") -> str:
    """Return the address of a live feed, from a position on; it also tells what is unread.

    It names who asks: a cookie may change meanwhile.
    """
    person = request[ASKER].person
    who = [(PARAMETER, person)] if request.app[AUTH].mode == "demo" else []
    counts = [("counts", COUNTS)] if person else []
    begin = [("last_event_id", position)] if position else []
    return "/v1/stream?" + urlencode([*parameters, *counts, *who, *begin])
