"""``/v1/groups``: places that people make to speak in, open to everyone or closed to all but their members."""

from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import AfterValidator, Field

from services.common.model import Access, Account, ActivityType
from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.auth import Asker
from services.gateway.claims import is_person
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import known_name
from services.gateway.keys import ASKER, DIRECTORY, GROUPS, MOUTH, PACE
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer
from services.gateway.speaking import acts
from services.gateway.speaking.groups import is_open


def _named(person: str) -> str:
    if not is_person(person):
        raise ValueError("no person can have this id")
    return person


_Person = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_named)]
_People = Annotated[list[_Person], Field(max_length=1_000)]


class Group(bodies.Body):
    """A group to be made. An open one may be read and joined by everyone; into a closed one its members let others."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    about: Annotated[str, Field(max_length=2_000)] = ""
    open: bool = True
    members: _People = Field(default_factory=list)


class Members(bodies.Body):
    """People to be let into a group."""

    members: Annotated[_People, Field(min_length=1)]


async def every(request: web.Request) -> web.Response:
    """Answer with the groups that the asker may open."""
    asked.only(request.query)
    asker = request[ASKER]
    items = [_shown(one, asker) for one in request.app[GROUPS].all(asker)]
    return answer(request, paging.collection(paging.address(request, ()), items, len(items)))


async def one(request: web.Request) -> web.Response:
    """Answer with one group and its members."""
    asked.only(request.query)
    record, directory = find(request, request[ASKER], request.match_info["id"]), request.app[DIRECTORY]
    members = [{"id": p, "type": "Person", "name": directory.name_of(p) or p} for p in record.principals]
    return answer(request, _shown(record, request[ASKER]) | {"members": members})


async def make(request: web.Request) -> web.Response:
    """Make a group, with oneself as its first member."""
    asked.only(request.query)
    record = await make_as(request, somebody(request), await bodies.read(request, Group))
    response = answer(request, _shown(record, request[ASKER]), status=201)
    response.headers["Location"] = f"/v1/groups/{quote(record.id, safe=':')}"
    return response


async def make_as(request: web.Request, asker: Asker, given: Group) -> Access:
    """Make a group, with somebody as its first member."""
    if not given.name.strip() or not given.name.isprintable():
        raise Problem(400, "bad-body", "name: printable characters are expected.")
    await request.app[PACE].take(asker.person)
    mouth = request.app[MOUTH]
    id_, at = acts.new_id(acts.GROUP, asker.person, ""), mouth.clock()
    record = acts.group_access(id_, given.name.strip(), (asker.person, *given.members), at, open_=given.open)
    with bodies.kafka():
        await mouth.allow(record)
        await mouth.say(acts.group(ActivityType.CREATE, record, _actor(request, asker.person), at, given.about))
    return record


async def join(request: web.Request) -> web.Response:
    """Join an open group."""
    asked.only(request.query)
    await join_as(request, somebody(request), request.match_info["id"])
    return web.Response(status=204)


async def join_as(request: web.Request, asker: Asker, id_: str) -> None:
    """Let somebody join an open group; it is the same when they are in it."""
    record = find(request, asker, id_)
    if not is_member(record, asker):
        await request.app[PACE].take(asker.person)
        with bodies.kafka():
            record = await request.app[GROUPS].change(record.id, lambda now: _with(now, asker.person))
        await _tell(request, ActivityType.JOIN, record, asker.person)


async def leave(request: web.Request) -> web.Response:
    """Leave a group; a closed one that nobody is left in is nobody's."""
    asked.only(request.query)
    await leave_as(request, somebody(request), request.match_info["id"])
    return web.Response(status=204)


async def leave_as(request: web.Request, asker: Asker, id_: str) -> Access:
    """Let somebody leave a group; returns it as it was."""
    record = find(request, asker, id_)
    if not is_member(record, asker):
        raise Problem(409, "not-a-member", "You are not in this group.")
    await request.app[PACE].take(asker.person)
    await _tell(request, ActivityType.LEAVE, record, asker.person)
    with bodies.kafka():
        await request.app[GROUPS].change(record.id, lambda now: [p for p in now if p not in asker.principals])
    return record


async def let_in(request: web.Request) -> web.Response:
    """Let people into a group that one is in."""
    asked.only(request.query)
    asker = somebody(request)
    await let_in_as(request, asker, request.match_info["id"], await bodies.read(request, Members))
    return web.Response(status=204)


async def let_in_as(request: web.Request, asker: Asker, id_: str, given: Members) -> None:
    """Let people into a group that somebody is in."""
    record = find(request, asker, id_)
    if not is_member(record, asker):
        raise Problem(409, "not-a-member", "Only members let others into a group; join it first.")
    await request.app[PACE].take(asker.person)
    new = [one for one in dict.fromkeys(given.members) if one not in record.principals]
    with bodies.kafka():
        record = await request.app[GROUPS].change(record.id, lambda now: _with(now, *new))
    for person in new:
        await _tell(request, ActivityType.JOIN, record, person)


def _with(now: Any, *people: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*now, *people)))


def find(request: web.Request, asker: Asker, id_: str) -> Access:
    """Return a group that somebody may open; raises Problem where there is none."""
    record = request.app[GROUPS].get(asker, id_)
    if record is None:
        raise not_found()
    return record


def is_member(record: Access, asker: Asker) -> bool:
    """Return whether somebody is in a group, by any of their accounts."""
    return any(one in asker.principals for one in record.principals)


async def _tell(request: web.Request, kind: ActivityType, record: Access, person: str) -> None:
    mouth = request.app[MOUTH]
    with bodies.kafka():
        await mouth.say(acts.group(kind, record, _actor(request, person), mouth.clock()))


def _actor(request: web.Request, person: str) -> Account:
    return acts.account(person, known_name(request, person))


def _shown(record: Access, asker: Asker) -> dict[str, Any]:
    return {
        "id": record.id,
        "type": "Group",
        "name": record.name,
        "open": is_open(record),
        "member": is_member(record, asker),
        "totalItems": len(record.principals),
    }
