"""Words of an activity with weights, for comparing objects with objects and with people. Pure."""

import math
import re
import textwrap
from collections import Counter

from services.common.model import Enriched
from services.enrich.steps.stopwords import STOPWORDS

MOST_TERMS = 40
_LONGEST_TEXT = 4_000
_IN_PATHS = "src lib mod main index readme doc docs test tests json toml yaml yml html css com org www github"
_COMMON = frozenset(_IN_PATHS.split())
"""Parts of paths and addresses that say nothing about what they hold."""
_LONGEST_TITLE = 60
_WORD = re.compile(r"[a-z][a-z0-9_+-]{2,29}")
_URL = re.compile(r"https?://\S+")


def terms_of(enriched: Enriched) -> dict[str, float]:
    """Return up to 40 terms with 1 + log(occurrences): words of the text, tags, and folders and names of files."""
    words = Counter(_words(_URL.sub(" ", enriched.text[:_LONGEST_TEXT])))
    for tag in (*enriched.activity.tags, *enriched.phrases):
        words.update(_words(tag))
    for path in enriched.activity.files[:20]:
        words.update(_words(path.rpartition(".")[0].replace("/", " ") or path))
    return {word: 1.0 + math.log(count) for word, count in words.most_common(MOST_TERMS)}


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in STOPWORDS and word not in _COMMON]


def title_of(one: Enriched) -> str:
    """Return how the object is called: its title, else its thread's name, else the words that it begins with."""
    threads = [container.name for container in one.activity.context if container.type == "Thread"]
    title = one.activity.object.title or (threads[-1] if threads else "")
    return title or textwrap.shorten(one.text[: 10 * _LONGEST_TITLE], _LONGEST_TITLE, placeholder=" …")
