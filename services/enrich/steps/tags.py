"""Tags: those of the source, hashtags of the text, and the folders of the files touched."""

import re
from collections import Counter

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

_HASHTAG = re.compile(r"(?<![\w/&#.:\[])#([A-Za-z][\w-]{1,49})\b(?!\()")
_HEX = re.compile(r"[0-9a-fA-F]{3,8}")
_DIRECTIVES = "include define ifdef ifndef endif undef elif else if pragma error import region"
_PREPROCESSOR = frozenset(_DIRECTIVES.split())
_MOST_TAGS = 20
_MOST_FOLDERS = 5
_DEPTH = 2


def find_tags(draft: Draft, _: Knowledge) -> None:
    """Join all, each once, the source's first."""
    tags = (*draft.activity.tags, *_hashtags(draft.body), *_folders(draft.activity.files))
    draft.tags = tuple(dict.fromkeys(tags))[:_MOST_TAGS] if tags else ()


def _hashtags(text: str) -> list[str]:
    if "#" not in text:
        return []
    found = (word.lower() for word in _HASHTAG.findall(text))
    return [word for word in found if word not in _PREPROCESSOR and not _HEX.fullmatch(word)]


def _folders(files: tuple[str, ...]) -> list[str]:
    folders = Counter("/".join(path.split("/")[:-1][:_DEPTH]) for path in files if "/" in path)
    return [folder for folder, _ in folders.most_common(_MOST_FOLDERS) if folder]
