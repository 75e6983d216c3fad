"""Links, resolved to objects of connected sources where one has come by: addresses, #123 and [[titles]]."""

import re

from services.common.model import Link
from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

_URL = re.compile(r"https?://[^\s<>\"'`\\\[\]{}|^]{3,2000}")
_NUMBER = re.compile(r"(?<![\w#&/])#(\d{1,9})\b")
_MOST = 50


def resolve_links(draft: Draft, knowledge: Knowledge) -> None:
    """List what the source says is linked and what the text links to, each address once."""
    links = {link.href: link for link in draft.activity.links}
    for href in (*draft.hrefs, *(_trimmed(url) for url in _URL.findall(draft.body))):
        links.setdefault(href, Link(href=href))
    container = draft.activity.audience.container
    found = [_resolved(link, container, knowledge) for link in list(links.values())[:_MOST]]
    numbers = dict.fromkeys(_NUMBER.findall(draft.text))
    numbered = (Link(href=f"#{n}", object=knowledge.places.object_numbered(container, n)) for n in numbers)
    draft.links = (*found, *(link for link in numbered if link.object and link.href not in links))[:_MOST]


def _resolved(link: Link, container: str, knowledge: Knowledge) -> Link:
    if link.object:
        return link
    places, href = knowledge.places, link.href
    page = href.startswith("[[")
    target = places.object_titled(container, href[2:-2]) if page else places.object_at(href)
    return Link(href=href, object=target, title=link.title) if target else link


def _trimmed(url: str) -> str:
    """Leave out the punctuation of the sentence that the address stands in."""
    url = url.rstrip(".,;:!?*_")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(".,;:!?*_")
    return url
