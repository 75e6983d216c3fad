"""What one follows or has muted, as it can be read and opened: names, and addresses of pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from aiohttp import web

from services.gateway import follows
from services.gateway.handlers.people import name_of
from services.gateway.items import activity_of, title_of
from services.gateway.keys import ACCESS, ASKER, DESK, DIRECTORY, NAMES, REMEMBERED
from services.gateway.web import viewers
from services.gateway.web.cards import AWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something by id: how it is called, what kind of thing it is, and where its page is."""

    id: str
    name: str
    kind: str
    href: str


async def named(request: web.Request, refs: Sequence[str]) -> list[Subject]:
    """Return what ids stand for, as far as the asker may know, in the same order."""
    saved = follows.searches(request.app[REMEMBERED], request[ASKER].person)
    ids = [one for one in refs if not one.startswith(follows.SEARCH)]
    await viewers.learn(request, ids, None)
    found = {one: _known(request, one, saved) for one in refs}
    unknown = [one for one, subject in found.items() if subject is None]
    titles = await _titles(request, unknown) if unknown else {}
    return [subject or _other(one, titles) for one, subject in found.items()]


async def _titles(request: web.Request, ids: Sequence[str]) -> Mapping[str, str]:
    """Return the titles of objects that may be opened; none while the index does not answer."""
    try:
        documents = await request.app[DESK].get(request[ASKER], "objects", ids)
    except AWAY:
        return {}
    return {one: title_of(activity_of(document)) for one, document in documents.items()}


def _known(request: web.Request, ref: str, saved: Mapping[str, str]) -> Subject | None:
    app, asker = request.app, request[ASKER]
    if ref.startswith(follows.SEARCH):
        name = ref.removeprefix(follows.SEARCH)
        href = f"/search?{urlencode(parse_qsl(saved.get(name, '')))}"
        return Subject(id=ref, name=name, kind="Search", href=href)
    record, name = app[ACCESS].get(ref), app[NAMES].get(ref, asker)
    if record is not None and app[ACCESS].may_open(asker.principals, ref):
        return Subject(id=ref, name=record.name or name or ref, kind="Place", href=f"/?container={quote(ref, safe='')}")
    if name or app[DIRECTORY].name_of(ref) or app[DIRECTORY].accounts_of(ref):  # people and places alone have names
        return Subject(id=ref, name=name_of(request, ref), kind="Person", href=f"/people/{quote(ref, safe='')}")
    return None


def _other(ref: str, titles: Mapping[str, str]) -> Subject:
    """Return a conversation that may be opened; what nothing is known of is taken for a tag."""
    if ref in titles:
        return Subject(id=ref, name=titles[ref], kind="Conversation", href=f"/objects/{quote(ref, safe='')}")
    return Subject(id=ref, name=ref, kind="Tag", href=f"/?tag={quote(ref, safe='')}")
