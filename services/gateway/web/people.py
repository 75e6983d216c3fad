"""The pages of people: who knows about something, and what one person did."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from services.common.clock import now
from services.common.errors import Reject
from services.gateway import filters as asked
from services.gateway import finding, paging, problems, qualifiers
from services.gateway.filters import Filters
from services.gateway.handlers.people import known, name_of
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK
from services.gateway.web import cards, meet, present
from services.gateway.web.frame import show
from services.gateway.web.present import Card, Party


async def people(request: web.Request) -> web.StreamResponse:
    """Show who knows about it; asked nothing, whom one should meet."""
    asked.only(request.query, "q", "done")
    said = meet.SAID.get(asked.one(request.query, "done"), "")
    wanted = asked.read(request.query)
    found: list[tuple[Party, str, list[Card]]] = []
    problem = ""
    try:
        if wanted.text:
            at = now()
            question = qualifiers.read(wanted.text, request[ASKER].person, known(request))
            plain = replace(wanted, text=question.words)
            for one in await finding.people(request.app[DESK], request[ASKER], plain, where=question.where):
                evidence = [cards.card_of(request, activity_of(document), at) for document in one.evidence]
                who = present.party(one.person, name_of(request, one.person), "people")
                found.append((who, present.evidence(one.count), evidence))
    except cards.AWAY:
        problem = cards.NOT_YET
    except Reject as error:
        problem = f"{error}."
    strangers: Sequence[meet.Shown] = ()
    if not wanted.text:
        strangers = await meet.strangers(request)
    return await show(
        request, "people.html", "people", q=wanted.text, found=found, problem=problem, strangers=strangers, said=said
    )


async def person(request: web.Request) -> web.StreamResponse:
    """Show what a person did last, and where."""
    asked.only(request.query, "cursor")
    id_ = request.match_info["id"]
    asker = request[ASKER]
    wanted = Filters(values=(("person", (id_,)),))
    page = await request.app[DESK].find(asker, cards.feed(wanted, paging.cursor(request), facets=("context",)))
    if not page.hits:
        raise problems.not_found()
    who = present.party(id_, name_of(request, id_), "people")
    return await show(
        request,
        "person.html",
        "people",
        who=who,
        following=cards.followed(request, id_),
        places=await cards.places(request, page),
        cards=cards.cards_of(request, [activity_of(hit.document) for hit in page.hits]),
        next=cards.older(request, page),
    )
