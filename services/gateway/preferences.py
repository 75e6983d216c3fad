"""What people have set for themselves: where their dial stands, and whether they want recommendations at all."""

from dataclasses import dataclass

from aiohttp import web

from services.common.recommendation import MIDDLE
from services.gateway.feedback import Feedback
from services.gateway.handlers import bodies
from services.gateway.keys import FEEDBACK, REACTIONS, REMEMBERED

_NAME = "settings"
"""Name of the setting that holds the dial. Opting out is feedback, which scoring reads."""
_OUT = "opt-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """``surprise`` is the dial, 0 familiar to 1 surprising."""

    surprise: float = MIDDLE
    recommendations: bool = True


def of(request: web.Request, person: str) -> Preferences:
    """Return what a person has set."""
    kept = request.app[REMEMBERED].get(person, _NAME) or {}
    out = request.app[REACTIONS].subjects(person, _OUT)
    return Preferences(surprise=float(kept.get("surprise", MIDDLE)), recommendations=not out)


async def put(request: web.Request, person: str, wanted: Preferences) -> None:
    """Store what a person has set; returns once Kafka has acknowledged."""
    before = of(request, person)
    if wanted.surprise != before.surprise:
        await bodies.remember(request, person, _NAME, {"surprise": wanted.surprise})
    if wanted.recommendations != before.recommendations:
        subjects = request.app[REACTIONS].subjects(person, _OUT) or (person,)
        acts = [Feedback(person=person, subject=one, kind=_OUT, undone=wanted.recommendations) for one in subjects]
        with bodies.kafka():
            await request.app[FEEDBACK].put(acts)
