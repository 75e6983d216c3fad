"""Activities as Atom (RFC 4287) and as JSON Feed 1.1, for readers of feeds. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import orjson
from feedgenerator import Atom1Feed

from services.gateway.items import title_of
from services.gateway.web.present import safe_url

ATOM = "application/atom+xml"
JSON_FEED = "application/feed+json"
_UNSAID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 has no way to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What is the same in both forms. Addresses are whole."""

    title: str
    origin: str
    home: str
    address: str
    next: str
    items: Sequence[Mapping[str, Any]]


class _Atom(Atom1Feed):  # type: ignore[misc]  # the library has no types
    """With the address of the next page (RFC 5005)."""

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        if self.feed["next"]:
            handler.addQuickElement("link", "", {"rel": "next", "href": self.feed["next"]})


def atom(feed: Feed) -> bytes:
    """Return the feed as Atom."""
    made = _Atom(
        title=_plain(feed.title),
        link=feed.home,
        description="",
        feed_url=feed.address,
        feed_guid=_id(feed.address.removeprefix(feed.origin)),
        next=feed.next,
    )
    for item in feed.items:
        made.add_item(
            title=_plain(title_of(item)),
            link=_page(feed, item),
            description=_as_html(_text(item)),
            unique_id=_id(str(item["id"])),
            author_name=_plain(_author(item)),
            pubdate=datetime.fromisoformat(item["published"]),
            updateddate=datetime.fromisoformat(item["published"]),
            categories=[_plain(tag) for tag in item.get("tags", ())],
        )
    if not feed.items:
        made.latest_post_date = lambda: datetime.fromtimestamp(0, UTC)  # not "now": unchanged has to look unchanged
    text: str = made.writeString("utf-8")
    return text.encode()


def json_feed(feed: Feed) -> bytes:
    """Return the feed as JSON Feed."""
    found = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "items": [_item(feed, item) for item in feed.items],
    }
    return orjson.dumps(found | ({"next_url": feed.next} if feed.next else {}))


def _item(feed: Feed, item: Mapping[str, Any]) -> dict[str, Any]:
    said = {"external_url": safe_url(item["object"].get("url", "")), "tags": list(item.get("tags", ()))}
    return {
        "id": _id(str(item["id"])),
        "url": _page(feed, item),
        "title": title_of(item),
        "content_text": _text(item),
        "date_published": item["published"],
        "authors": [{"name": _author(item)}],
        **{name: value for name, value in said.items() if value},
    }


def _text(item: Mapping[str, Any]) -> str:
    """Return why the item is there, where somebody said so, and its text."""
    said = (str(item.get("reason", "")), str(item["object"].get("content") or item.get("text", "")))
    return "\n\n".join(filter(None, said))


def _as_html(text: str) -> str:
    """Return text as HTML that says just that: readers of Atom take a summary for HTML, as the library marks it."""
    return escape(_plain(text)).replace("\n", "<br>")


def _author(item: Mapping[str, Any]) -> str:
    return str(item["actor"].get("name") or item["actor"]["id"])


def _page(feed: Feed, item: Mapping[str, Any]) -> str:
    return f"{feed.origin}/objects/{quote(item['object']['id'], safe='')}"


def _id(text: str) -> str:
    """Return an IRI that stays the same wherever the gateway is reached."""
    return uuid5(NAMESPACE_URL, text).urn


def _plain(text: str) -> str:
    return _UNSAID.sub("", text)
