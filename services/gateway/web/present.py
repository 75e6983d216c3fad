"""What the page shows of an activity: small values made from its ActivityStreams JSON. Pure; templates escape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from zlib import crc32

from markupsafe import Markup

from services.gateway.speaking.acts import NOTE
from services.gateway.web.markdown import rendered

PHRASES: Mapping[str, str] = {
    "git.commit": "committed to",
    "git.push": "pushed to",
    "git.tag": "tagged",
    "pull.open": "opened a pull request in",
    "pull.merge": "merged a pull request in",
    "pull.review": "reviewed a pull request in",
    "pull.close": "closed a pull request in",
    "issue.open": "opened an issue in",
    "issue.close": "closed an issue in",
    "wiki.create": "wrote a new page in",
    "wiki.edit": "edited a page in",
    "wiki.move": "moved a page in",
    "wiki.delete": "deleted a page in",
    "wiki.restore": "restored a page in",
    "wiki.hide": "hid a revision in",
    "wiki.comment": "commented in",
    "chat.message": "wrote in",
    "chat.edit": "corrected a message in",
    "chat.delete": "deleted a message in",
    "chat.reaction": "reacted in",
    "note.post": "wrote to",
    "note.reply": "replied in",
    "note.edit": "corrected a note in",
    "note.delete": "took back a note in",
    "group.create": "made the group",
    "group.join": "joined the group",
    "group.leave": "left the group",
}
"""How a verb reads between a name and a place. Sent to the live module too, so that both say the same."""

BY_TYPE: Mapping[str, str] = {"Create": "posted in", "Update": "changed something in", "Delete": "deleted something in"}
OTHERWISE = "was active in"

KINDS: Mapping[str, str] = {
    "Commit": "commit",
    "PullRequest": "pull",
    "Article": "page",
    "Page": "page",
    "Note": "chat",
    "Issue": "issue",
    "Tombstone": "gone",
}
"""Object type to the name of its icon in static/icon.svg."""

HUES = 12
_EXCERPT = 280


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody or some place as shown. ``hue`` is 0..11 and picks a colour class."""

    id: str
    name: str
    href: str

    @property
    def initials(self) -> str:
        """One or two letters for the round picture."""
        words = [w for w in self.name.replace("-", " ").replace("_", " ").split() if w[0].isalnum()]
        return "".join(w[0] for w in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"

    @property
    def hue(self) -> int:
        """A steady number for a colour."""
        return crc32(self.id.encode()) % HUES


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One activity as shown in a list."""

    id: str
    who: Party
    phrase: str
    place: Party | None
    title: str
    excerpt: str
    href: str
    source_url: str
    kind: str
    published: str
    ago: str
    gone: bool
    mine: bool = False
    """It is a note of the viewer's own, which they may correct and take back."""
    answerable: bool = False
    """It is a note, which can be answered where it stands."""
    unread: bool = False
    marks: Sequence[str] = ()


def party(id_: str, name: str, where: str) -> Party:
    """Return somebody (``where`` "people") or some place (``where`` "search")."""
    href = f"/people/{quote(id_, safe='')}" if where == "people" else f"/?container={quote(id_, safe='')}"
    return Party(id=id_, name=name or id_, href=href)


def card(activity: Mapping[str, Any], now: datetime, viewer: str = "") -> Card:
    """Return an activity (ActivityStreams JSON of services.common.activitystreams) as a card, for a person."""
    thing = activity["object"]
    actor = activity["actor"]
    places = [c for c in activity.get("context", ()) if c.get("type") != "Thread"]
    content = activity.get("text") or thing.get("content") or ""
    title = thing.get("title") or ""
    published = _time(activity["published"])
    return Card(
        id=activity["id"],
        who=party(activity.get("person") or actor["id"], actor.get("name", ""), "people"),
        phrase=phrase(activity),
        place=party(places[-1]["id"], places[-1].get("name", ""), "places") if places else None,
        title=title,
        excerpt=excerpt(content, title),
        href=f"/objects/{quote(thing['id'], safe='')}",
        source_url=safe_url(thing.get("url", "")),
        kind=KINDS.get(thing.get("type", ""), "other"),
        published=activity["published"],
        ago=ago(published, now),
        gone=thing.get("type") == "Tombstone",
        mine=bool(viewer) and thing.get("attributedTo") == viewer and thing["id"].startswith(NOTE),
        answerable=bool(viewer) and thing["id"].startswith(NOTE),
        unread=bool(activity.get("unread")),
        marks=activity.get("marks", ()),
    )


def phrase(activity: Mapping[str, Any]) -> str:
    """Return what stands between the name and the place."""
    return PHRASES.get(activity.get("verb", "")) or BY_TYPE.get(activity.get("type", "")) or OTHERWISE


def excerpt(content: str, title: str) -> str:
    """Return the beginning of the body in one paragraph, without the title that commit messages repeat."""
    text = " ".join(content.removeprefix(title).split()) if title else " ".join(content.split())
    return text if len(text) <= _EXCERPT else text[:_EXCERPT].rsplit(" ", 1)[0] + " …"


def safe_url(url: str) -> str:
    """Return a link to the source only where it is a web address: others could run as script when clicked."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:  # no address at all, as "http://["
        return ""


def ago(at: datetime, now: datetime) -> str:
    """Return a time as people say it: how long ago within two days, a date before that."""
    past = now - at
    if past < timedelta(minutes=1):
        return "just now"
    if past < timedelta(hours=1):
        return f"{past.seconds // 60} min ago"
    if past < timedelta(days=2):
        return f"{int(past.total_seconds()) // 3600} h ago"
    return f"{at.day} {at:%b}" + ("" if at.year == now.year else f" {at.year}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def phrases() -> dict[str, Any]:
    """Return the words of verbs as the live module takes them."""
    return {"verbs": dict(PHRASES), "types": dict(BY_TYPE), "otherwise": OTHERWISE}


def evidence(count: int) -> str:
    """Return how much speaks for a person, in words."""
    return (
        "One thing that you may open is about it." if count == 1 else f"{count} things that you may open are about it."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An object as shown on its own page."""

    id: str
    title: str
    titled: bool
    """Whether it has a title of its own; else the title is how its text begins."""
    content: str
    html: Markup
    """The content where it is Markdown, as safe HTML; else empty."""
    kind: str
    source_url: str
    gone: bool


def thing(activity: Mapping[str, Any], *, deleted: bool) -> Thing:
    """Return the object of an activity; a title that is only the first line of the text is not shown twice."""
    shown = activity["object"]
    title, content = shown.get("title") or "", activity.get("text") or shown.get("content") or ""
    marked = shown.get("mediaType") == "text/markdown"
    return Thing(
        id=shown["id"],
        html=rendered(shown.get("content") or "") if marked else Markup(),
        title=title or " ".join(content.split())[:80],
        titled=bool(title),
        content=content.removeprefix(title).lstrip() if title else content,
        kind=KINDS.get(shown.get("type", ""), "other"),
        source_url=safe_url(shown.get("url", "")),
        gone=deleted or shown.get("type") == "Tombstone",
    )
