"""Plain text of Markdown, from the tokens of a CommonMark parser."""

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_BREAKS = frozenset({"softbreak", "hardbreak"})
_LITERAL = frozenset({"text", "code_inline"})
_BLOCKS = frozenset({"fence", "code_block"})


def plain(content: str) -> tuple[str, tuple[str, ...]]:
    """Return the text and the addresses of its links; raw HTML is left out."""
    tokens = _parser().parse(content)
    hrefs = [str(token.attrs["href"]) for token in _inline(tokens) if token.type == "link_open"]
    paragraphs = (_text(token) for token in tokens)
    return "\n\n".join(filter(None, paragraphs)), tuple(href for href in hrefs if "://" in href)


def _text(token: Token) -> str:
    if token.type in _BLOCKS:
        return token.content
    return "".join(_word(child) for child in token.children or ())


def _word(token: Token) -> str:
    if token.type in _BREAKS:
        return "\n"
    if token.type == "image":
        return token.content
    return token.content if token.type in _LITERAL else ""


def _inline(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])
