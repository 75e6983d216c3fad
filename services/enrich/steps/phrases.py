"""Key phrases of English texts: runs of words between stop words, weighed as in RAKE (Rose et al. 2010).

A word's weight is the number of words it stands together with over the number of its occurrences; a phrase's is the
sum.
"""

import re
from collections import Counter, defaultdict

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge
from services.enrich.steps.stopwords import STOPWORDS

_LONGEST_TEXT = 1_000
_TOKEN = re.compile(r"[A-Za-z][\w'+-]*[\w+]|[^\w\s]+|\n+|\w+")
_URL = re.compile(r"https?://\S+")
_MOST_WORDS = 3
_MOST_PHRASES = 5
_SHORTEST = 4


def find_phrases(draft: Draft, _: Knowledge) -> None:
    """Give up to five phrases, the weightiest first; none for texts that are not English."""
    if draft.text and draft.language in ("en", ""):
        draft.phrases = phrases(draft.text[:_LONGEST_TEXT])


def phrases(text: str) -> tuple[str, ...]:
    """Return the key phrases of a text in lower case."""
    runs = _runs(_URL.sub("\n", text) if "://" in text else text)
    occurrences: Counter[str] = Counter()
    together: defaultdict[str, int] = defaultdict(int)
    for run in runs:
        for word in run:
            occurrences[word] += 1
            together[word] += len(run)
    weights = {run: sum(together[word] / occurrences[word] for word in run) for run in runs}
    best = sorted(weights, key=lambda run: (-weights[run], run))[:_MOST_PHRASES]
    return tuple(" ".join(run) for run in best)


def _runs(text: str) -> list[tuple[str, ...]]:
    """Return the runs of words between stop words, punctuation and numbers, of at most three words each."""
    found: list[tuple[str, ...]] = []
    run: list[str] = []
    for token in _TOKEN.findall(text.lower()):
        if token[0].isalpha() and token not in STOPWORDS and len(token) <= 40:
            run.append(token)
            continue
        _close(run, found)
    _close(run, found)
    return found


def _close(run: list[str], found: list[tuple[str, ...]]) -> None:
    if run and len(run) <= _MOST_WORDS and sum(map(len, run)) >= _SHORTEST:
        found.append(tuple(run))
    run.clear()
