"""Small worlds of people in threads."""

from datetime import datetime, timedelta

from services.common.model import Audience, Container, Enriched
from tests.unit.enrich.made import NOON, activity

BEGIN = NOON


def said(
    number: int,
    by: str,
    thread: str,
    *,
    days: float = 0,
    channel: str = "room",
    text: str = "",
    to: str = "",
    mentions: tuple[str, ...] = (),
) -> Enriched:
    """Return a message of ``by`` in a thread of a channel; ``to`` is the number of the message it answers."""
    context = (
        Container(id=f"chat:{channel}", type="Channel", name=channel),
        Container(id=f"chat:{channel}/{thread}", type="Thread", name=thread),
    )
    one = activity(
        number,
        text,
        by=by,
        hours=24 * days,
        context=context,
        audience=Audience(container=context[0].id),
        object_in_reply_to=f"chat:{to}" if to else "",
    )
    return Enriched(activity=one, person=by, thread=context[-1].id, text=text, mention_people=mentions)


def at(days: float) -> int:
    """Return the moment so many days after the beginning, in micros."""
    moment: datetime = BEGIN + timedelta(days=days)
    return int(moment.timestamp()) * 1_000_000
