"""What somebody may have meant who has found nothing: words of what they may open, and of nothing else.

No suggester over the whole index is asked: it would give away words of what one may not open.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

from services.common.search import Document, Query
from services.common.search.conditions import Condition
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.filters import OF_ACTS, Filters

_LOOKED_AT = 40
"""Documents that words are taken from."""
_TEXT = 4_000
_LIKE = 0.72
_SHORTEST = 4
_WORDS = 6
"""Unknown words of one question that are looked for: each is compared with thousands."""
_WORD = re.compile(r"[^\W\d_][\w'-]*")


async def meant(desk: Desk, asker: Asker, wanted: Filters, where: Condition | None = None) -> str:
    """Return other words that the asker would find something by; empty where there are none."""
    query = Query(
        kind="objects",
        principals=(),
        text=wanted.text,
        loose=True,
        filters=wanted.fields(without=OF_ACTS),
        without={"deleted": ("true",)},
        since=wanted.since,
        until=wanted.until,
        where=where,
        order="relevance",
        size=_LOOKED_AT,
    )
    page = await desk.find(asker, query)
    # Beside the event loop: it takes a tenth of a second for each unknown word.
    return await asyncio.to_thread(lambda: corrected(wanted.text, words_of(hit.document for hit in page.hits)))


def words_of(documents: Iterable[Document]) -> Counter[str]:
    """Return the words of documents, each with the number of documents that have it."""
    counted: Counter[str] = Counter()
    for document in documents:
        text = " ".join((document.get("title", ""), document.get("text", "")[:_TEXT], *document.get("tags", ())))
        counted.update({word.lower() for word in _WORD.findall(text)})
    return counted


def corrected(text: str, known: Counter[str]) -> str:
    """Return the text with each unknown word replaced by the known one that is most like it; empty where none is."""
    words = text.split()
    if sum(1 for word in words if not _stands(word, known)) > _WORDS:
        return ""
    found = [word if _stands(word, known) else _nearest(word, known) for word in words]
    return " ".join(found) if found and all(found) and [*map(str.lower, found)] != text.lower().split() else ""


def _stands(word: str, known: Counter[str]) -> bool:
    """Return whether a word stays as it is: one that occurs, or is too short to be told from others."""
    return word.lower() in known or len(word) < _SHORTEST


def _nearest(word: str, known: Counter[str]) -> str:
    plain = word.lower()
    matcher = SequenceMatcher(b=plain, autojunk=False)
    best, best_like = "", (_LIKE, 0)
    for other, count in known.items():
        if abs(len(other) - len(plain)) > 2:
            continue
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() < best_like[0] or matcher.quick_ratio() < best_like[0]:  # bounds, ever dearer
            continue
        like = (matcher.ratio(), count)
        if like > best_like:
            best, best_like = other, like
    return best
