"""Terms of a text: words, and the parts of the identifiers in it, so that chat about code meets the code. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from services.common.model import Enriched
from services.enrich.steps.stopwords import STOPWORDS

_LONGEST_TEXT = 4_000
_MOST_FILES = 20
_IN_PATHS = (
    "src lib mod main index readme doc docs test tests json toml yaml yml html css com org www github http https"
)
_ENDINGS = "md py js ts rs go"
_COMMON = STOPWORDS | set(_IN_PATHS.split()) | set(_ENDINGS.split())
"""Stop words, and parts of paths and addresses that say nothing about what they hold."""
_URL = re.compile(r"https?://\S+")
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_']*(?:\.[A-Za-z][A-Za-z0-9_']*)*|[^\W\d_]{2,}")
_PARTS = re.compile(r"[._']")
_CASES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MOST_TOKENS = 50_000
"""Words whose terms are remembered: most of a text are words that came before."""
_SHORTEST = 3
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Text:
    """What an activity says: how often each term of its body occurs, and the terms of its title and files.

    ``terms`` are those of both, each once, the title's first, in an order that is always the same, as sums then are.
    """

    body: Mapping[str, int]
    title: tuple[str, ...]
    terms: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Fill in what is asked for again and again."""
        object.__setattr__(self, "terms", tuple(dict.fromkeys((*self.title, *self.body))))


def text_of(one: Enriched) -> Text:
    """Return the terms of an activity; the name of a message's thread is its title."""
    title = title_of(one)
    body = one.text[len(title) :] if title and one.text.startswith(title) else one.text
    in_title = words(title)
    for file in one.activity.files[:_MOST_FILES]:
        in_title += words((file.rpartition(".")[0] or file).replace("/", " "))
    return Text(Counter(words(_URL.sub(" ", body[:_LONGEST_TEXT]))), tuple(dict.fromkeys(in_title)))


def title_of(one: Enriched) -> str:
    """Return the title of the object, or else the name of its thread."""
    threads = [container.name for container in one.activity.context if container.type == "Thread"]
    return one.activity.object.title or (threads[-1] if threads else "")


def words(text: str) -> list[str]:
    """Return the terms of a text, in order, as often as they occur.

    >>> words("The readTimeout of http_client fails")
    ['readtimeout', 'read', 'timeout', 'http_client', 'client', 'fail']
    """
    found: list[str] = []
    for token in _TOKEN.findall(text):
        found += _terms_of(token)
    return found


@lru_cache(maxsize=_MOST_TOKENS)
def _terms_of(token: str) -> tuple[str, ...]:
    whole, found = token.lower(), list[str]()
    if whole in _COMMON or len(whole) > 2 * _LONGEST:
        return ()
    _add(found, whole)
    if "_" in token or "." in token or token[1:] != token[1:].lower():
        _add_parts(found, token, whole)
    return tuple(found)


def _add_parts(found: list[str], token: str, whole: str) -> None:
    for part in _PARTS.split(token):
        for piece in _CASES.findall(part) if part[1:] != part[1:].lower() else (part,):
            if piece.lower() != whole:
                _add(found, piece.lower())


def _add(found: list[str], word: str) -> None:
    if _SHORTEST <= len(word) <= _LONGEST and word not in _COMMON:
        found.append(word[:-1] if len(word) > 4 and word[-1] == "s" and word[-2] != "s" else word)
