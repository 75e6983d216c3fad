"""``/v1/people``: who knows about it, by evidence that the asker may open; and one person's doings."""

from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.common.search import Query
from services.gateway import filters as asked
from services.gateway import finding, live, paging, qualifiers
from services.gateway.filters import Filters
from services.gateway.finding import Found
from services.gateway.items import activity_of, title_of
from services.gateway.keys import ASKER, DESK, DIRECTORY, NAMES
from services.gateway.problems import not_found
from services.gateway.qualifiers import Known
from services.gateway.respond import answer


async def search(request: web.Request) -> web.Response:
    """Answer with people, each with the evidence."""
    asked.only(request.query, "q", "limit")
    wanted = asked.read(request.query)
    if not wanted.text:
        raise asked.wrong("q", "a question or words are expected")
    question = qualifiers.read(wanted.text, request[ASKER].person, known(request))
    wanted = replace(wanted, text=question.words)
    found = await finding.people(
        request.app[DESK], request[ASKER], wanted, size=paging.size(request), where=question.where
    )
    here = paging.address(request, request.query.items())
    items = [_person(request, one) for one in found]
    return answer(request, {"@context": CONTEXT, **paging.collection(here, items, len(items))})


async def one(request: web.Request) -> web.Response:
    """Answer with a person: where they are active, and what they did last, as far as the asker may open it."""
    asked.only(request.query, *paging.PAGING)
    person = request.match_info["id"]
    wanted = Filters(values=(("person", (person,)),))
    place = await live.before(request, wanted)
    page = await request.app[DESK].find(
        request[ASKER],
        Query(
            kind="activities",
            principals=(),
            filters={"people": (person,)},
            size=paging.size(request),
            cursor=paging.cursor(request),
            facets=("context",),
        ),
    )
    if not page.hits and not paging.cursor(request):
        raise not_found()
    items = [activity_of(hit.document) for hit in page.hits]
    for item in items:
        request.app[NAMES].learn_json(item)
    who = {"id": person, "type": "Person", "name": name_of(request, person)}
    facets = {"container": dict(page.facets.get("context", {}))}
    behind = live.behind(request, place, items, wanted)
    return paging.answered(request, page, items, live=behind, attributedTo=who, facets=facets)


def known(request: web.Request) -> Known:
    """Return what names stand for in what is typed: handles and names of people, and names of places."""
    called = partial(request.app[NAMES].called, asker=request[ASKER])
    return Known(people=lambda name: request.app[DIRECTORY].called(name) | called(name), places=called)


def name_of(request: web.Request, person: str) -> str:
    """Return how a person is called; the id where the asker may know no name."""
    return known_name(request, person) or person


def known_name(request: web.Request, person: str) -> str:
    """Return how a person is called; empty where the asker may know no name."""
    return request.app[DIRECTORY].name_of(person) or request.app[NAMES].get(person, request[ASKER])


def _person(request: web.Request, found: Found) -> dict[str, Any]:
    activities = [activity_of(document) for document in found.evidence]
    for activity in activities:
        request.app[NAMES].learn_json(activity)
    evidence = [
        {"object": a["object"]["id"], "title": title_of(a), "published": a["published"], "verb": a["verb"]}
        for a in activities
    ]
    return {
        "id": found.person,
        "type": "Person",
        "name": name_of(request, found.person),
        "share": round(found.share, 4),
        "count": found.count,
        "evidence": evidence,
    }
