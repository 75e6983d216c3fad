"""``/v1/notes``: to say something, to everyone, a group or about an object; to answer, correct and take it back."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from services.common.model import Activity, Container, Visibility
from services.gateway import filters as asked
from services.gateway.auth import Asker
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import known_name
from services.gateway.keys import ACCESS, DESK, DIRECTORY, GROUPS, MOUTH, PACE
from services.gateway.places import container_of
from services.gateway.problems import Problem, not_found
from services.gateway.respond import answer
from services.gateway.speaking import acts, standing
from services.gateway.speaking.acts import Place
from services.gateway.speaking.mentions import MOST, mentioned
from services.gateway.speaking.standing import Standing

LONGEST = 20_000
"""Characters of a note."""
LONGEST_ID = 1_000
_KEY = 255
_Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]
_Id = Annotated[str, Field(max_length=LONGEST_ID)]
_People = Annotated[list[_Id], Field(max_length=MOST)]


class Note(bodies.Body):
    """Something to say, in Markdown: to everyone, to a group, or about an object. ``mentions`` adds people by id."""

    content: _Text
    group: _Id = ""
    about: _Id = ""
    mentions: _People = Field(default_factory=list)


class Said(bodies.Body):
    """An answer, or what a note is corrected to, in Markdown. ``mentions`` adds people by id."""

    content: _Text
    mentions: _People = Field(default_factory=list)


async def post(request: web.Request) -> web.Response:
    """Say something; answers once Kafka has acknowledged it."""
    asked.only(request.query)
    asker = somebody(request)
    return await post_as(request, asker, await bodies.read(request, Note))


async def post_as(request: web.Request, asker: Asker, given: Note) -> web.Response:
    """Say what was given, as somebody."""
    if given.group and given.about:
        raise Problem(400, "bad-body", "about: a note stands in a group or is about an object; give one of both.")
    place = await _about(request, asker, given.about) if given.about else _place(request, asker, given.group)
    return await _post(request, asker, given.content, given.mentions, place)


async def reply(request: web.Request) -> web.Response:
    """Answer to a note."""
    asked.only(request.query)
    asker = somebody(request)
    given = await bodies.read(request, Said)
    place = await _about(request, asker, request.match_info["id"])
    return await _post(request, asker, given.content, given.mentions, place)


async def edit(request: web.Request) -> web.Response:
    """Correct what one said."""
    asked.only(request.query)
    asker = somebody(request)
    return await edit_as(request, asker, request.match_info["id"], await bodies.read(request, Said))


async def edit_as(request: web.Request, asker: Asker, id_: str, given: Said) -> web.Response:
    """Correct one of somebody's notes."""
    text, before = _text(given.content), await _own(request, asker, id_)
    await request.app[PACE].take(asker.person)
    people, unknown = _mentions(request, text, given.mentions)
    if before.object.content == text:
        return _answer(request, before, unknown)
    act = acts.edited(before, text, request.app[MOUTH].clock(), people)
    await _say(request, act)
    return _answer(request, act, unknown)


async def remove(request: web.Request) -> web.Response:
    """Take back what one said: its text is gone everywhere, that something was said stays."""
    asked.only(request.query)
    await remove_as(request, somebody(request), request.match_info["id"])
    return web.Response(status=204)


async def remove_as(request: web.Request, asker: Asker, id_: str) -> None:
    """Take back one of somebody's notes."""
    before = await _own(request, asker, id_)
    await request.app[PACE].take(asker.person)
    await _say(request, acts.deleted(before, request.app[MOUTH].clock()))


def _place(request: web.Request, asker: Asker, group: str) -> Place:
    if not group:
        return Place(context=(acts.EVERYONE,), container=acts.EVERYONE.id, visibility=Visibility.PUBLIC)
    record = request.app[GROUPS].get(asker, group)
    if record is None:
        raise not_found()
    if not set(record.principals) & set(asker.principals):
        raise Problem(409, "not-a-member", "Only members speak in a group; join it first.")
    place = Container(id=record.id, type="Group", name=record.name)
    return Place(context=(place,), container=record.id, visibility=record.visibility)


async def _about(request: web.Request, asker: Asker, object_id: str) -> Place:
    found = await _standing(request, asker, object_id)
    if found is None:
        raise not_found()
    if request.app[ACCESS].restricted(object_id):
        # Who may open the place would read what is said about a thing that they may not open.
        raise Problem(409, "closed-thing", "This is closed to some of its place; speak of it where it is open to all.")
    record = request.app[ACCESS].get(container_of(found.activity))
    return found.answered(record.visibility if record else Visibility.UNKNOWN)


async def _standing(request: web.Request, asker: Asker, object_id: str) -> Standing | None:
    app = request.app
    return await standing.find(app[DESK], app[ACCESS], app[MOUTH], asker, object_id)


async def _own(request: web.Request, asker: Asker, id_: str) -> Activity:
    found = await _standing(request, asker, id_)
    if found is None:
        raise not_found()
    if not found.by(asker):
        raise Problem(403, "not-yours", "Only who said it may change it.")
    return found.activity


async def _post(
    request: web.Request, asker: Asker, content: str, mentions: Sequence[str], place: Place
) -> web.Response:
    text, mouth = _text(content), request.app[MOUTH]
    people, unknown = _mentions(request, text, mentions)
    id_ = acts.new_id(acts.NOTE, asker.person, _key(request))
    before = await _standing(request, asker, id_) if _key(request) else None
    if before is not None:
        return _answer(request, before.activity, unknown, status=201)
    await request.app[PACE].take(asker.person)
    actor = acts.account(asker.person, known_name(request, asker.person))
    act = acts.note(id_, actor, text, place, mouth.clock(), people)
    await _say(request, act)
    return _answer(request, act, unknown, status=201)


async def _say(request: web.Request, activity: Activity) -> None:
    with bodies.kafka():
        await request.app[MOUTH].say(activity)


def _answer(request: web.Request, activity: Activity, unknown: Sequence[str], status: int = 200) -> web.Response:
    """Return what became of it: ``unresolved`` are handles that nobody, or more than one person, has."""
    thing = activity.object.id
    said = {"id": thing, "activity": activity.id, "mentions": activity.mentions, "unresolved": unknown}
    response = answer(request, said, kind="application/json", status=status)
    response.headers["Location"] = f"/v1/objects/{quote(thing, safe=':')}"
    return response


def _mentions(request: web.Request, text: str, named: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    people, unknown = mentioned(text, request.app[DIRECTORY].called)
    return tuple(dict.fromkeys((*people, *named)))[:MOST], unknown


def _text(content: str) -> str:
    text = content.strip()
    if not text or "\0" in text:
        raise Problem(400, "bad-body", "content: some text without NUL characters is expected.")
    return text


def _key(request: web.Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > _KEY or not key.isprintable():
        raise Problem(400, "bad-parameter", f"Idempotency-Key: at most {_KEY} printable characters are expected.")
    return key
