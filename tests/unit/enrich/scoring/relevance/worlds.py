"""Small worlds in which the right answer is known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.common.embedding import embed, to_bytes
from services.common.model import Audience, Container, Enriched
from services.enrich.scoring.engagements import engagements
from services.enrich.scoring.relevance import Relevance, Trigger
from tests.unit.enrich.made import activity

SUBJECTS = {
    "baking": "sourdough dough yeast oven crust flour hydration loaf rye starter",
    "sailing": "mainsail jib halyard tiller harbour keel spinnaker windward rudder anchor",
    "chess": "gambit bishop endgame castling zugzwang queen opening rook checkmate pawn",
}


def message(
    number: int,
    by: str,
    text: str,
    *,
    thread: str = "",
    room: str = "room",
    hours: float = 0.0,
    mentioned: tuple[str, ...] = (),
    **changes: Any,
) -> Enriched:
    """Return a message in a thread of a channel, enriched as far as scoring needs it."""
    thread = thread or f"thread {number}"
    context = (Container(id=room, type="Channel", name=room), Container(id=thread, type="Thread", name=thread))
    audience = Audience(container=room)
    one = activity(number, text, by=by, hours=hours, context=context, audience=audience, **changes)
    return Enriched(
        activity=one,
        person=by,
        thread=thread,
        text=text,
        mention_people=mentioned,
        vector=to_bytes(embed([text]))[0],
    )


def about(subject: str, turn: int, length: int = 6) -> str:
    """Return a text about a subject; others by ``turn``."""
    words = SUBJECTS[subject].split()
    return " ".join(words[(turn + step) % len(words)] for step in range(length))


def talks(by_subject: Mapping[str, Sequence[str]], count: int = 12, hours: float = 0.0) -> list[Enriched]:
    """Return threads in which these people talk of their subjects, each subject in its own room."""
    found: list[Enriched] = []
    for subject, people in by_subject.items():
        for turn in range(count):
            for person in people:
                number = len(found) + 1
                text = about(subject, turn + len(found) % 3)
                thread = f"{subject} {turn}"
                found.append(message(number, person, text, thread=thread, room=subject, hours=hours + turn))
    return sorted(found, key=lambda one: one.activity.published)


def observed(events: Iterable[Enriched], relevance: Relevance | None = None) -> Relevance:
    """Return a scorer that has observed events."""
    relevance = relevance or Relevance()
    for one in events:
        relevance.observe(one)
    return relevance


def trigger(one: Enriched) -> Trigger:
    """Return the trigger that an activity is for its only engagement."""
    return Trigger.of(one, *engagements(one))
