"""A digest as a mail: plain text and simple HTML of the same things. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from services.gateway.deliveries.schedule import Every, Window
from services.gateway.web import present
from services.gateway.web.rendering import render

_OF = {"day": "today", "week": "this week"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Who a digest goes to and from. ``page`` is where the page is; ``stop`` the address that ends digests."""

    person: str
    sender: str
    recipient: str
    page: str
    stop: str


def message(post: Post, window: Window, every: Every, items: Sequence[Mapping[str, Any]], total: int) -> EmailMessage:
    """Return the mail with these activities (ActivityStreams JSON), which are the newest of ``total``."""
    made = EmailMessage()
    things = f"{total} thing{'s' if total != 1 else ''}"
    made["Subject"] = f"{things} that your rules found {_OF[every]}"
    made["From"], made["To"] = post.sender, post.recipient
    made["Date"] = format_datetime(window.until)
    made["Message-ID"] = _message_id(post, window)
    made["Auto-Submitted"] = "auto-generated"
    made["List-Unsubscribe"] = f"<{post.stop}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    cards = [present.card(one, window.until) for one in items]
    context = {"cards": cards, "more": total - len(cards), "page": post.page, "stop": post.stop, "every": every}
    made.set_content(render("digest.txt", context))
    made.add_alternative(render("digest.html", context), subtype="html")
    return made


def _message_id(post: Post, window: Window) -> str:
    """Return the same id for the same digest, so that one sent twice by a crash is shown once."""
    about = "\0".join((post.person, window.since.isoformat(), window.until.isoformat()))
    return f"<{sha256(about.encode()).hexdigest()[:32]}.digest@{urlsplit(post.page).hostname or 'watercooler'}>"
