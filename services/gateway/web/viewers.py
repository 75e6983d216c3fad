"""As whom the page can be viewed in demo mode, and names for ids that have none yet."""

import asyncio
from collections.abc import Iterable
from time import monotonic

from aiohttp import web

from services.common.errors import Reject, Retry, Stop
from services.common.search import Page, Query
from services.gateway.auth import Asker
from services.gateway.handlers.people import name_of
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, AUTH, DESK, DIRECTORY, NAMES, RECOMMENDATIONS
from services.gateway.speaking.acts import SOURCE
from services.gateway.web import present
from services.gateway.web.present import Party

_MOST = 60
_KNOWN_FOR = 60.0
_AWAY = (Retry, Stop, Reject, TimeoutError)
_KNOWN: web.AppKey["_Known"] = web.AppKey("known_viewers")


class _Known:
    """Who is active, asked for now and then."""

    def __init__(self) -> None:
        self.people: tuple[str, ...] = ()
        self.asked_at = -_KNOWN_FOR


def prepare(app: web.Application) -> None:
    """Put into the application what this module keeps."""
    app[_KNOWN] = _Known()


async def somebody(request: web.Request, anybody: Asker) -> Asker:
    """Return whom the page is viewed as by one who has not chosen: a person with recommendations, if there is one."""
    for candidates in (request.app[RECOMMENDATIONS].people(), await _active(request)):
        if candidates:
            return request.app[AUTH].as_person(candidates[0])
    return anybody


async def people(request: web.Request, asker: Asker) -> list[Party]:
    """Return the people to choose from, by name, the asker among them."""
    found = dict.fromkeys(
        (
            *filter(None, [asker.person]),
            *request.app[RECOMMENDATIONS].people(),
            *await _active(request),
            *request.app[DIRECTORY].people(),
        )
    )
    chosen = list(found)[:_MOST]
    await learn(request, chosen, None)
    parties = [present.party(one, name_of(request, one), "people") for one in chosen]
    return sorted(parties, key=lambda one: one.name.lower())


async def _active(request: web.Request) -> tuple[str, ...]:
    known = request.app[_KNOWN]
    if monotonic() - known.asked_at > (_KNOWN_FOR if known.people else 5.0):
        known.asked_at = monotonic()
        anybody = request.app[AUTH].as_person("")
        query = Query(kind="activities", principals=(), without={"automated": ("true",)}, size=1, facets=("person",))
        try:
            page = await request.app[DESK].find(anybody, query)
            known.people = tuple(page.facets["person"])
        except _AWAY:
            return known.people
    return known.people


async def learn(request: web.Request, ids: Iterable[str], page: Page | None) -> None:
    """Look for the names of people and places that none has come by of yet, as the asker."""
    names, asker = request.app[NAMES], asker_of(request)
    for hit in page.hits if page else ():
        names.learn_json(activity_of(hit.document))
    missing = [one for one in ids if not names.looked_for(one, asker) and not request.app[DIRECTORY].name_of(one)][
        :_MOST
    ]
    await asyncio.gather(*(_look(request, one, asker) for one in missing))


def asker_of(request: web.Request) -> Asker:
    """Return who asks; anybody, as long as nobody is chosen yet."""
    return request[ASKER] if ASKER in request else request.app[AUTH].as_person("")


async def _look(request: web.Request, id_: str, asker: Asker) -> None:
    # What was said here may have no name of who said it: that is looked at last.
    for field, without in (("person", {"source": (SOURCE,)}), ("context", {}), ("person", {})):
        if request.app[NAMES].get(id_, asker):
            return
        query = Query(kind="activities", principals=(), filters={field: (id_,)}, without=without, size=1)
        try:
            page = await request.app[DESK].find(asker, query)
        except _AWAY:
            return
        for hit in page.hits:
            request.app[NAMES].learn_json(activity_of(hit.document))
    if not request.app[NAMES].get(id_, asker):
        request.app[NAMES].has_none(id_, asker)
