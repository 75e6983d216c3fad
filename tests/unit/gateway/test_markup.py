"""Whatever a source says is shown as text: no page and no feed runs or loads anything of it."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser

from services.common.model import Account, Container, Enriched, Object
from services.gateway.web.present import safe_url
from services.gateway.web.rendering import coded
from services.gateway.web.site import PAGES
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import World, said, world

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></textarea></style></template><svg onload=alert(1)>",
    "javascript:alert(1)//",
    "]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "\u202e<iframe srcdoc='<script>alert(1)</script>'>",
)
LINKS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "http://[",
    "//evil.example/x",
    'https://ok.example/"><script>alert(1)</script>',
)
MARKED = (
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png) <b onclick=alert(1)>x</b>"
    " <https://ok.example> `<script>` "
)
OURS = re.compile(r"/static/[\w.-]+")
SCHEMES = re.compile(r"(https?://|mailto:|[/?#]|$)")


def evil(number: int, text: str, link: str, place: str) -> Enriched:
    """Return a message in which every field that a source fills is evil."""
    e = said(number, text=f"heron {text}", where=place, who=f"who{text}")
    marked = bool(number % 3)
    thing = Object(
        id=f"chat:{number}{text}",
        type="Article" if number % 2 else "Note",
        content=MARKED * marked + text,
        media_type="text/markdown" if marked else "text/plain",
        title=f"heron {text}",
        url=link,
        version="1",
    )
    context = (Container(id=place, type="Channel", name=text), Container(id=f"chat:t{text}", type="Thread", name=text))
    actor = Account(id=f"chat:who{text}", name=text, handle=text)
    activity = replace(
        e.activity,
        object=thing,
        context=context,
        actor=actor,
        tags=(text,),
        mentions=(f"chat:who{text}",),
        files=(text,),
    )
    return replace(e, activity=activity, tags=(text,), phrases=(text,), thread=f"chat:t{text}", mention_people=(text,))


def acts() -> list[Enriched]:
    """Return what has happened in an organisation that consists of evil."""
    return [evil(n, text, LINKS[n % len(LINKS)], f"chat:p{text}") for n, text in enumerate(EVIL)]


async def happened(w: World, many: list[Enriched]) -> None:
    """Let it happen, in the open, and recommend it for reasons that are evil too."""
    for one in many:
        await w.opened(one.activity.context[0].id)
    await w.happens(*many)
    for one in many:
        text, place = one.activity.actor.name, one.activity.context[0].id
        why = {"reason": text, "plain": text, "container": place, "author": one.person}
        await recommend(w, one.activity.object.id, 1.0, **why)


@pytest.fixture
async def full() -> AsyncIterator[tuple[World, list[Enriched]]]:
    """An organisation that consists of evil."""
    async with world() as w:
        many = acts()
        await happened(w, many)
        yield w, many


def addresses(many: list[Enriched]) -> list[str]:
    """Return every page, asked in every way by which something evil comes onto it."""
    found = [path for path in PAGES if "{" not in path] + ["/search?q=heron", "/people?q=heron", "/docs"]
    for one in many:
        a, text = one.activity, quote(one.activity.actor.name, safe="")
        found += [f"/objects/{quote(a.object.id, safe='')}", f"/people/{quote(one.person, safe='')}"]
        found += [
            f"/?container={quote(a.context[0].id, safe='')}",
            f"/?tag={text}",
            f"/search?q={text}",
            f"/people?q={text}",
        ]
        found += [
            f"/?{text}=1",
            f"/for-you?done={text}&about={text}",
            f"/search?q=heron&mode={text}",
            f"/nothing/{text}",
        ]
    return found


def checked(html: str, where: str) -> None:
    """Fail where the page, read as a browser reads it, holds anything that runs, loads or leads to a script."""
    for node in LexborHTMLParser(html).css("*"):
        name, given = node.tag, node.attributes
        at = f"{where}: {(node.html or '')[:200]}"
        assert name not in ("iframe", "object", "embed", "base", "style", "img"), at
        assert name != "script" or OURS.fullmatch(given.get("src") or ""), at
        for attribute, value in given.items():
            assert not attribute.startswith("on"), at
            assert attribute not in ("style", "srcdoc"), at
            if attribute in ("href", "src", "action", "formaction", "xlink:href"):
                assert SCHEMES.match(value or ""), at


async def test_no_page_runs_or_loads_what_a_source_says(full: tuple[World, list[Enriched]]) -> None:
    w, many = full
    shown = 0
    for where in addresses(many):
        answer = await w.get(where, as_="ann")
        text = await answer.text()
        assert answer.status < 500, where
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        if answer.content_type == "text/html":
            checked(text, where)
            shown += "alert(1)" in text
    assert shown > 40, "what is evil is shown: as text"


async def test_no_feed_holds_markup_that_runs(full: tuple[World, list[Enriched]]) -> None:
    w, _ = full
    answer = await w.get("/v1/feed.atom")
    feed = ElementTree.fromstring(await answer.text())
    assert answer.content_type == "application/atom+xml"
    assert not [one for one in feed.iter() if one.tag.endswith("script")]
    for one in feed.iter():
        if one.get("type") == "html":
            checked(one.text or "", "feed.atom")
        if one.get("href"):
            assert SCHEMES.match(one.get("href") or "")
    for item in (await w.json("/v1/feed.json"))["items"]:
        checked(item.get("content_html", ""), "feed.json")
        assert SCHEMES.match(item.get("url", ""))
        assert SCHEMES.match(item.get("external_url", ""))


async def test_highlights_are_marks_and_nothing_else(full: tuple[World, list[Enriched]]) -> None:
    w, _ = full
    found: list[Any] = (await w.json("/v1/search", params={"q": "heron"}))["orderedItems"]
    marks = [text for one in found for many in one.get("highlights", {}).values() for text in many]
    assert marks
    for text in marks:
        assert "<" not in text.replace("<mark>", "").replace("</mark>", "")


@pytest.mark.parametrize("link", LINKS[:7])
def test_links_that_are_no_web_addresses_are_left_out(link: str) -> None:
    assert safe_url(link) == ""


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("fix `a < b` and `c`", "fix <code>a &lt; b</code> and <code>c</code>"),
        ("one ` alone", "one ` alone"),
        ("`<script>`", "<code>&lt;script&gt;</code>"),
        ("<b>`x`", "&lt;b&gt;<code>x</code>"),
    ],
)
def test_code_in_titles_is_code_and_nothing_else(title: str, shown: str) -> None:
    assert coded(title) == shown
