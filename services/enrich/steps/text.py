"""Plain text of a body: wikitext, HTML, Markdown and commit messages, by libraries that know them."""

import re
from collections.abc import Callable

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

_LONGEST = 64_000
"""Characters of markup that are read; a page as long as this says what it is about long before its end."""
Plain = tuple[str, tuple[str, ...]]
"""Text, and the addresses that it links to."""

_TRAILER = re.compile(r"[A-Za-z][A-Za-z-]{1,40}(?:: | #).*")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_LINES = re.compile(r"\s*\n\s*\n\s*")


def extract_text(draft: Draft, _: Knowledge) -> None:
    """Fill body and text (title and body; a title that the body repeats stands once)."""
    one = draft.activity.object
    title = " ".join(one.title.split())
    if one.content:
        read = (
            _from_commit if one.type == "Commit" else _READERS.get(one.media_type.partition(";")[0].lower(), _as_it_is)
        )
        body, draft.hrefs = read(one.content[:_LONGEST])
        draft.body = _LINES.sub("\n\n", _BLANKS.sub(" ", body)).strip()
    repeated = title and draft.body[: len(title)] == title
    draft.text = draft.body if repeated or not title else f"{title}\n\n{draft.body}".strip()


def _as_it_is(content: str) -> Plain:
    return content, ()


def _from_commit(content: str) -> Plain:
    """Leave out the last paragraph where every line of it is a trailer (Signed-off-by: ...), as git does."""
    head, gap, last = content.rstrip().rpartition("\n\n")
    if gap and all(_TRAILER.fullmatch(line) or line[:1] == " " for line in last.split("\n")):
        return head, ()
    return content, ()


def _from_html(content: str) -> Plain:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(content)
    for node in tree.css("script, style, template, mx-reply"):
        node.decompose()
    hrefs = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    for node in tree.css("br, p, div, li, tr, h1, h2, h3, h4, h5, h6, blockquote, pre"):
        node.insert_after("\n")
    text = tree.body.text(separator="") if tree.body else ""
    return text, tuple(href for href in hrefs if href.startswith(("http://", "https://")))


def _from_markdown(content: str) -> Plain:
    from services.enrich.steps.markdown import plain

    return plain(content)


def _from_wikitext(content: str) -> Plain:
    import mwparserfromhell

    code = mwparserfromhell.parse(content)
    titles = [str(link.title).partition("#")[0].strip() for link in code.filter_wikilinks()]
    hrefs = [str(link.url) for link in code.filter_external_links()]
    hrefs += [
        f"[[{title}]]" for title in titles if title and not title.lower().startswith(("file:", "image:", "category:"))
    ]
    return str(code.strip_code(collapse=False)), tuple(dict.fromkeys(hrefs))


_READERS: dict[str, Callable[[str], Plain]] = {
    "text/html": _from_html,
    "application/xhtml+xml": _from_html,
    "text/markdown": _from_markdown,
    "text/x-markdown": _from_markdown,
    "text/x-wiki": _from_wikitext,
    "text/x-mediawiki": _from_wikitext,
    "text/x-wikitext": _from_wikitext,
    "text/mediawiki": _from_wikitext,
}
