"""Markdown as HTML that is safe to show: rendered without raw HTML, then cleaned by a list of what may stand in it."""

from functools import cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_LONGEST = 64_000
"""Characters that are rendered; what is longer is shown as it was written."""
_TAGS = frozenset(
    {
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
    }
    | {"strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_SCHEMES = frozenset({"http", "https", "mailto"})


def rendered(text: str) -> Markup:
    """Return Markdown as HTML; empty where there is too much of it. Images become nothing: the page loads none."""
    if len(text) > _LONGEST:
        return Markup()
    html = nh3.clean(
        _parser().render(text),
        tags=set(_TAGS),
        attributes={"a": {"href", "title"}},
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(html)  # noqa: S704 - nh3 has cleaned it


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
