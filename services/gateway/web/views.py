"""The page: every view rendered on the server, readable without scripts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web
from markupsafe import Markup

from services.common.clock import now
from services.common.errors import Reject, Retry, Stop
from services.common.search import Document, Hit, Page, Query
from services.gateway import filters as asked
from services.gateway import finding, inquiry, paging, problems, qualifiers
from services.gateway.auth import COOKIE, Asker
from services.gateway.desk import Desk
from services.gateway.filters import Filters
from services.gateway.handlers.people import name_of
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, AUTH, DESK, DIRECTORY, HUB, INDEXED, NAMES, REACTIONS
from services.gateway.problems import Handler, Problem
from services.gateway.respond import answer_bytes
from services.gateway.stream.fanout import may_read
from services.gateway.web import meet, present, reacting, viewers
from services.gateway.web.present import Card, Party
from services.gateway.web.rendering import render

SHOWN = 30
_YEAR = 365 * 86_400
_INDEX_SECONDS = 2.0
"""How long the index is given for what the stream has shown already; it is as long for what one may not open."""
NOT_YET = "Search is still starting. The live feed works already; try again in a moment."
AWAY = (Retry, Stop, TimeoutError)
_PAGES = web.AppKey("pages", frozenset)


def add_routes(app: web.Application, more: Mapping[str, Handler], posts: Mapping[str, Handler]) -> None:
    """Add the pages, ``more`` of them and what they post to, and their static files."""
    pages = {
        "/": live,
        **more,
        "/search": search,
        "/people": people,
        "/people/{id:.+}": person,
        "/objects/{id:.+}": thing,
    }
    for path, handler in pages.items():
        app.router.add_get(path, _as_somebody(handler))
    app.router.add_post("/view-as", view_as)
    for path, handler in posts.items():
        app.router.add_post(path, _as_somebody(handler))
    app.router.add_get("/static/{name}", static)
    app[_PAGES] = frozenset((*pages, *posts, "/view-as"))


def _as_somebody(handler: Handler) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        try:
            asker = await request.app[AUTH].asker(request)
        except Problem as problem:
            if problem.status == 401 and request.app[AUTH].mode == "oidc":
                raise web.HTTPSeeOther(f"/login?{urlencode({'next': request.path_qs})}") from None
            raise
        request[ASKER] = asker if asker.person else await viewers.somebody(request, asker)
        return await handler(request)

    return page


async def show(request: web.Request, template: str, section: str, **context: Any) -> web.Response:
    asker = request[ASKER]
    viewer = present.party(asker.person, name_of(request, asker.person), "people") if asker.person else None
    demo = request.app[AUTH].mode == "demo"
    people = await viewers.people(request, asker) if demo else ()
    html = render(template, {"viewer": viewer, "people": people, "signed_in": not demo, "section": section, **context})
    response = answer_bytes(request, html.encode(), kind="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    return response


async def live(request: web.Request) -> web.StreamResponse:
    """Show the live feed, from the index; from memory while there is none."""
    asked.only(request.query, *asked.FIELDS, "since", "until", "q", "cursor")
    wanted = asked.read(request.query)
    asker = request[ASKER]
    cursor = paging.cursor(request)
    stream, older, places = "", "", []
    try:
        at = await request.app[INDEXED].position(asker, wanted)
        page = await request.app[DESK].find(asker, _feed(wanted, cursor, facets=() if wanted.values else ("context",)))
        activities = [activity_of(hit.document) for hit in page.hits]
        older = _older(request, page)
        places = await _places(request, page)
    except AWAY:
        at = request.app[HUB].position()
        activities = _from_memory(request, wanted)
    if not cursor:
        who = [("as", asker.person)] if request.app[AUTH].mode == "demo" else []
        stream = "/v1/stream?" + urlencode([*wanted.pairs(), *who, ("last_event_id", at.text())])
    chosen = wanted.get("container")
    return await show(
        request,
        "live.html",
        "live",
        cards=_cards(request, activities),
        places=places,
        place=", ".join(request.app[NAMES].get(one, asker) or one for one in chosen),
        container=chosen[0] if len(chosen) == 1 else "",
        following=_following(request, chosen[0] if chosen else ""),
        stream=stream,
        atom="/v1/feed.atom" + (f"?{urlencode(wanted.pairs())}" if wanted.pairs() else ""),
        next=older,
    )


def _feed(wanted: Filters, cursor: str, facets: tuple[str, ...]) -> Query:
    return Query(
        kind="activities",
        principals=(),
        text=wanted.text,
        filters=wanted.fields(),
        since=wanted.since,
        until=wanted.until,
        size=SHOWN,
        cursor=cursor,
        facets=facets,
    )


def _from_memory(request: web.Request, wanted: Filters) -> list[dict[str, Any]]:
    """Return the newest activities that the ring still holds, newest first."""
    hub, asker = request.app[HUB], request[ASKER]
    found: list[dict[str, Any]] = []
    for event in hub.ring.newest():
        made = event.current(hub.access)
        if made and made.facts.match(wanted) and may_read(hub.access, made, asker.principals, asker.person):
            found.append(orjson.loads(made.data))
            if len(found) == SHOWN:
                break
    return sorted(found, key=lambda one: str(one["published"]), reverse=True)


async def search(request: web.Request) -> web.StreamResponse:
    """Show what was found, with facets to narrow it down."""
    asked.only(request.query, "q", "mode", *asked.FIELDS, "since", "until", "cursor")
    wanted = asked.read(request.query)
    page, meant = Page(hits=(), total=0), ""
    problem = ""
    try:
        if wanted.text:
            found = await inquiry.ask(
                request.app[DESK],
                request[ASKER],
                wanted,
                request.app[DIRECTORY].called,
                cursor=paging.cursor(request),
            )
            page, meant = found.page, found.meant
    except AWAY:
        problem = NOT_YET
    except Reject as error:
        problem = f"{error}."
    at = now()
    older, newer = _older(request, page), _newer(request, page)
    hits = [_marked(request, hit, at) for hit in page.hits]
    facets = await _facets(request, wanted, page)
    return await show(
        request,
        "search.html",
        "search",
        q=wanted.text,
        meant=meant,
        meant_href=f"/search?{urlencode([*(p for p in wanted.pairs() if p[0] != 'q'), ('q', meant)])}",
        hits=hits,
        total=page.total,
        facets=facets,
        next=older,
        previous=newer,
        problem=problem,
    )


def _marked(request: web.Request, hit: Hit, at: datetime) -> tuple[Card, Markup, Markup]:
    # Highlights are escaped by the index before <mark> is put in (promised by the search port, tested there).
    title, text = (Markup(" … ".join(hit.highlights.get(name, ()))) for name in ("title", "text"))  # noqa: S704
    return card_of(request, activity_of(hit.document), at), title, text


async def _facets(request: web.Request, wanted: Filters, page: Page) -> list[tuple[str, str, list[Any]]]:
    """Return (title, name of the filter, [(value, label, count, address, whether chosen)]) per facet."""
    titles = {"type": "Kind", "container": "Place", "person": "Person", "source": "Source", "tag": "Tag"}
    counted = finding.facets_of(page)
    await viewers.learn(request, [*counted.get("person", {}), *counted.get("container", {})], page)
    found = []
    for name, title in titles.items():
        chosen = wanted.get(name)
        values = []
        for value, count in list(counted.get(name, {}).items())[:8]:
            kept = [(n, v) for n, v in wanted.pairs() if (n, v) != (name, value)]
            pairs = kept if value in chosen else [*kept, (name, value)]
            label = _label(request, name, value)
            values.append((value, label, count, f"/search?{urlencode(pairs)}", value in chosen))
        found.append((title, name, values))
    return found


def _label(request: web.Request, name: str, value: str) -> str:
    if name == "person":
        return name_of(request, value)
    return request.app[NAMES].get(value, request[ASKER]) or value


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
            question = qualifiers.read(wanted.text, request[ASKER].person, request.app[DIRECTORY].called)
            plain = replace(wanted, text=question.words)
            for one in await finding.people(request.app[DESK], request[ASKER], plain, where=question.where):
                cards = [card_of(request, activity_of(document), at) for document in one.evidence]
                who = present.party(one.person, name_of(request, one.person), "people")
                found.append((who, present.evidence(one.count), cards))
    except AWAY:
        problem = NOT_YET
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
    page = await request.app[DESK].find(asker, _feed(wanted, paging.cursor(request), facets=("context",)))
    if not page.hits:
        raise problems.not_found()
    cards = _cards(request, [activity_of(hit.document) for hit in page.hits])
    who = present.party(id_, name_of(request, id_), "people")
    places = await _places(request, page)
    return await show(
        request,
        "person.html",
        "people",
        who=who,
        following=_following(request, id_),
        places=places,
        cards=cards,
        next=_older(request, page),
    )


def _following(request: web.Request, subject: str) -> bool:
    return "follow" in request.app[REACTIONS].of(request[ASKER].person, subject)


async def thing(request: web.Request) -> web.StreamResponse:
    """Show an object with its history and its conversation."""
    asked.only(request.query, *reacting.OPENED)
    id_ = request.match_info["id"]
    asker, desk = request[ASKER], request.app[DESK]
    document = await _indexed(desk, asker, id_)
    if document is None:
        raise problems.not_found()
    await reacting.opened(request, id_)
    history, thread = await asyncio.gather(
        finding.history(desk, asker, id_), finding.thread(desk, asker, document, size=SHOWN)
    )
    activity = activity_of(document)
    card = card_of(request, activity, now())
    return await show(
        request,
        "object.html",
        "",
        thing=present.thing(activity, deleted=bool(document.get("deleted"))),
        who=card.who,
        place=card.place,
        published=card.published,
        ago=card.ago,
        # The one act that made the object says nothing that the page does not say already.
        history=_cards(request, [activity_of(hit.document) for hit in history.hits]) if history.total > 1 else [],
        thread=_cards(request, [activity_of(hit.document) for hit in thread.hits]),
    )


async def _indexed(desk: Desk, asker: Asker, id_: str) -> Document | None:
    """Return an object's document. A card that has just come in live may be opened before the index has it."""
    end = monotonic() + _INDEX_SECONDS
    while True:
        document = (await desk.get(asker, "objects", [id_])).get(id_)
        if document is not None or monotonic() > end:
            return document
        await asyncio.sleep(_INDEX_SECONDS / 8)


async def view_as(request: web.Request) -> web.StreamResponse:
    """Remember as whom the page is viewed (demo mode), and go back to where one was."""
    if request.app[AUTH].mode != "demo":
        raise Problem(404, "not-found", "Only demo mode lets one be somebody else.")
    await request.app[AUTH].asker(request)
    form = await request.post()
    chosen = form.get("as", "")
    if not isinstance(chosen, str) or len(chosen) > 512 or not chosen.isprintable():
        raise Problem(400, "bad-body", "as: a person id is expected.")
    response = web.Response(status=303, headers={"Location": "/"})
    response.set_cookie(COOKIE, chosen, max_age=_YEAR, httponly=True, samesite="Strict", path="/")
    return response


async def static(request: web.Request) -> web.StreamResponse:
    """Give a static file; browsers ask whether it is still the same."""
    name = request.match_info["name"]
    kind = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}.get(Path(name).suffix)
    found = files("services.gateway.web").joinpath("static", name)
    if kind is None or "/" in name or not found.is_file():
        raise web.HTTPNotFound
    return answer_bytes(request, found.read_bytes(), kind=f"{kind}; charset=utf-8")


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Show errors of pages as a page; those of the API stay problem documents."""
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in _canonical(request.app):
        return await handler(request)
    try:
        return await handler(request)
    except Exception as error:  # whatever it is becomes a page; ``of`` logs what is our mistake
        if isinstance(error, web.HTTPException) and error.status < 400:
            raise
        problem = problems.of(error)
        html = render("error.html", {"title": problems.TITLES[problem.kind], "detail": problem.detail})
        headers = {"Cache-Control": "no-store", **problem.headers}
        return web.Response(status=problem.status, text=html, content_type="text/html", headers=headers)


def _canonical(app: web.Application) -> frozenset[str]:
    return frozenset(path.replace(":.+", "") for path in app[_PAGES])


def _cards(request: web.Request, activities: Sequence[dict[str, Any]]) -> list[Card]:
    at = now()
    return [card_of(request, one, at) for one in activities]


def card_of(request: web.Request, activity: dict[str, Any], at: datetime) -> Card:
    request.app[NAMES].learn_json(activity)
    return present.card(activity, at)


async def _places(request: web.Request, page: Page) -> list[tuple[Party, int]]:
    counted = page.facets.get("context", {})
    await viewers.learn(request, list(counted), page)
    names = ((one, request.app[NAMES].get(one, request[ASKER])) for one in counted)
    named = [(one, name) for one, name in names if name]  # threads have no name here
    return [(present.party(one, name, "places"), counted[one]) for one, name in named[:12]]


def _older(request: web.Request, page: Page) -> str:
    return _turned(request, page.next)


def _newer(request: web.Request, page: Page) -> str:
    return _turned(request, page.previous)


def _turned(request: web.Request, cursor: str) -> str:
    if not cursor:
        return ""
    kept = [(n, v) for n, v in request.query.items() if n != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"
