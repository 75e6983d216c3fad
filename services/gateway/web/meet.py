"""The part of the people page that says whom one should meet, and what one can answer: follow, or decline silently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import ValidationError

from services.common import logs
from services.common.bus import Unpublished
from services.common.errors import Retry, Stop
from services.gateway import filters as asked
from services.gateway.feedback import Feedback
from services.gateway.handlers import bodies, feedback
from services.gateway.handlers.me import somebody
from services.gateway.handlers.people import name_of
from services.gateway.items import activity_of
from services.gateway.keys import ASKER, FEEDBACK, NAMES, REACTIONS, TO_MEET
from services.gateway.meetings import Common, Stranger, items_of
from services.gateway.problems import Problem
from services.gateway.web import present
from services.gateway.web.present import Party

SURFACE = "people"
SAID: Mapping[str, str] = {
    "follow": "You follow what they do now.",
    "not-useful": "Not suggested again. They are not told.",
}
_UNDO = "undo:"
_WHOSE: Mapping[str, str] = {"you": "Yours:", "they": "Theirs:", "both": "Both of you were in"}
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Common ground: a sentence, and things as (address, title, whose)."""

    words: str
    things: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One person to meet."""

    who: Party
    common: Sequence[Ground]
    introducers: Sequence[Party]
    following: bool


async def strangers(request: web.Request) -> Sequence[Shown]:
    """Return whom to meet, and note that they were shown; nobody while search does not answer."""
    asker = request[ASKER]
    if not asker.person:
        return ()
    try:
        found = await request.app[TO_MEET].strangers(asker)
    except (Retry, Stop, TimeoutError):
        return ()  # the page says of itself what is missing once something is asked
    await _note(request, found)
    return [_shown(request, one) for one in found]


def _shown(request: web.Request, one: Stranger) -> Shown:
    def party(person: str) -> Party:
        return present.party(person, name_of(request, person), "people")

    for common in one.common:
        for document in common.documents:
            request.app[NAMES].learn_json(activity_of(document))
    return Shown(
        who=party(one.person),
        common=[_ground(common) for common in one.common],
        introducers=[party(person) for person in one.introducers],
        following="follow" in request.app[REACTIONS].of(request[ASKER].person, one.person),
    )


def _ground(common: Common) -> Ground:
    return Ground(
        words=f"Both are about {', '.join(common.words)}." if common.words else "",
        things=[
            (f"/objects/{quote(item['object'], safe='')}", item["title"], _WHOSE[item["whose"]])
            for item in items_of(common)
        ],
    )


async def _note(request: web.Request, found: Sequence[Stranger]) -> None:
    if request.method != "GET" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return
    acts = [
        Feedback(person=request[ASKER].person, subject=one.person, kind="seen", surface=SURFACE, rank=rank)
        for rank, one in enumerate(found, start=1)
    ]
    try:
        await request.app[FEEDBACK].put(acts)
    except Unpublished as error:
        # Who reads must not be kept from it because nobody can take a note.
        _log.warning("what was shown or opened could not be noted", acts=len(acts), reason=str(error))


async def react(request: web.Request) -> web.StreamResponse:
    """Take an act from the section's own form, and show the page again."""
    asked.only(request.query)
    asker = somebody(request)
    fields = await bodies.fields(request)
    kind = fields.get("kind", "")
    undone = kind.startswith(_UNDO)
    kind = kind.removeprefix(_UNDO)
    if kind not in SAID:
        raise Problem(400, "bad-body", f"kind: one of {', '.join(SAID)} is expected.")
    try:
        given = feedback.Given.model_validate(
            {"subject": fields.get("subject", ""), "kind": kind, "undone": undone, "rank": int(fields.get("rank") or 0)}
        )
    except (ValidationError, ValueError):
        raise Problem(400, "bad-body", "subject: the id of a person is expected; rank: a number.") from None
    act = Feedback(
        person=asker.person, subject=given.subject, kind=kind, undone=undone, surface=SURFACE, rank=given.rank
    )
    await feedback.store(request, [act])
    query = "" if undone else "?" + urlencode({"done": kind})
    return web.Response(status=303, headers={"Location": f"/people{query}"})
