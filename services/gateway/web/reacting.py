"""What the page notes by itself: that a recommendation was shown, and that it was opened."""

from collections.abc import Sequence

from aiohttp import web

from services.common import logs
from services.common.bus import Unpublished
from services.common.recommendation import MIDDLE
from services.gateway import filters as asked
from services.gateway.feedback import Feedback
from services.gateway.foryou import Suggested
from services.gateway.keys import ASKER, FEEDBACK

SURFACE = "for-you"
OPENED = ("from", "rank", "surprise")
"""Parameters by which a link from the list says so."""
_RANKS = 10_000
_log = logs.get(__name__)


async def shown(request: web.Request, items: Sequence[Suggested], dial: float) -> None:
    """Note that these were shown, in this order. (What a browser only fetches ahead is not shown.)"""
    person = request[ASKER].person
    if person and request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        await _note(
            request,
            [
                Feedback(
                    person=person, subject=one.recommendation.object, kind="seen", surface=SURFACE, rank=rank, dial=dial
                )
                for rank, one in enumerate(items, start=1)
            ],
        )


async def opened(request: web.Request, object_id: str) -> None:
    """Note that a recommendation was opened, where the link says that it was one."""
    person = request[ASKER].person
    if asked.one(request.query, "from") != SURFACE or not person:
        return
    rank = asked.number(request.query, "rank", default=0, least=0, most=_RANKS)
    dial = asked.share(request.query, "surprise", default=MIDDLE)
    await _note(
        request,
        [Feedback(person=person, subject=object_id, kind="opened", surface=SURFACE, rank=rank, dial=dial)],
    )


async def _note(request: web.Request, acts: Sequence[Feedback]) -> None:
    try:
        await request.app[FEEDBACK].put(acts)
    except Unpublished as error:
        # Who reads must not be kept from it because nobody can take a note.
        _log.warning("what was shown or opened could not be noted", acts=len(acts), reason=str(error))
