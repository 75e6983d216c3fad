"""The pages of groups: which there are, one with its members and what was said in it, and the forms to take part."""

from urllib.parse import quote

from aiohttp import web

from services.common.model import Access
from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.filters import Filters
from services.gateway.handlers import groups
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import known_name, name_of
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, DESK, DIRECTORY, GROUPS, INDEXED
from services.gateway.problems import Problem
from services.gateway.speaking.groups import is_open
from services.gateway.web import cards, forms, present, viewers
from services.gateway.web.frame import show

_MEMBERS = 100
"""Members that a page names; of the others it gives the number."""


async def every(request: web.Request) -> web.StreamResponse:
    """Show the groups that one may open, those that one is in first, and the form to make one."""
    asked.only(request.query)
    asker = request[ASKER]
    records = request.app[GROUPS].all(asker)
    found = [(*_named(one), groups.is_member(one, asker), len(one.principals)) for one in records]
    return await show(request, "groups.html", "groups", groups=sorted(found, key=lambda one: not one[2]))


async def one(request: web.Request) -> web.StreamResponse:
    """Show a group: its members, and what was said in it, live."""
    asked.only(request.query, "cursor")
    asker, desk = request[ASKER], request.app[DESK]
    record = groups.find(request, asker, request.match_info["id"])
    wanted, cursor = Filters(values=(("container", (record.id,)),)), paging.cursor(request)
    at = await request.app[INDEXED].position(asker, wanted)
    page = await desk.find(asker, cards.feed(wanted, cursor))
    made = (await desk.get(asker, "objects", [record.id])).get(record.id)
    members = record.principals[:_MEMBERS]
    await viewers.learn(request, members, page)
    party, open_ = _named(record)
    return await show(
        request,
        "group.html",
        "groups",
        group=party,
        open=open_,
        about=str(activity_of(made)["object"].get("content", "")) if made else "",
        mine=groups.is_member(record, asker),
        members=[present.party(person, name_of(request, person), "people") for person in members],
        more=len(record.principals) - len(members),
        following=cards.followed(request, record.id),
        cards=cards.cards_of(request, [activity_of(hit.document) for hit in page.hits]),
        stream="" if cursor else cards.stream(request, wanted.pairs(), at.text()),
        next=cards.older(request, page),
    )


def _named(record: Access) -> tuple[present.Party, bool]:
    return present.Party(id=record.id, name=record.name or record.id, href=_address(record.id)), is_open(record)


def _address(id_: str) -> str:
    return f"/groups/{quote(id_, safe='')}"


async def make(request: web.Request) -> web.StreamResponse:
    """Make a group, and go to it."""
    asker, sent = somebody(request), await forms.fields(request)
    given = {name: sent[name] for name in ("name", "about") if name in sent}
    record = await groups.make_as(
        request, asker, forms.checked(groups.Group, given | {"open": sent.get("open") != "no"})
    )
    return forms.went(request, _address(record.id), "made")


async def take_part(request: web.Request) -> web.StreamResponse:
    """Join a group, leave it, or let others in."""
    asker, sent = somebody(request), await forms.fields(request)
    id_ = sent.get("id", "")
    match sent.get("act"):
        case "join":
            await groups.join_as(request, asker, id_)
            return forms.went(request, _address(id_), "joined")
        case "leave":
            record = await groups.leave_as(request, asker, id_)
            return forms.went(request, _address(id_) if is_open(record) else "/groups", "gone")
        case "let-in":
            people = [_person(request, one) for one in sent.get("who", "").replace(",", " ").split()]
            await groups.let_in_as(request, asker, id_, forms.checked(groups.Members, {"members": people}))
            return forms.went(request, _address(id_), "let-in")
    raise Problem(400, "bad-body", "act: join, leave or let-in is expected.")


def _person(request: web.Request, given: str) -> str:
    """Return the person with a handle or an id; raises Problem where there is none, or more than one."""
    called = request.app[DIRECTORY].called(given.removeprefix("@"))
    if len(called) == 1:
        return next(iter(called))
    if known_name(request, given) or request.app[DIRECTORY].accounts_of(given):
        return given
    raise Problem(400, "bad-body", f"who: {'more than one person' if called else 'nobody'} is called {given[:60]}.")
