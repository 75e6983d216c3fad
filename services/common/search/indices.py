"""What each kind of documents looks like in the index: names, mappings and the fields that may be asked for."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from services.common.search import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)


@cache
def definition(kind: Kind) -> dict[str, Any]:
    """Return settings and mappings as in ``mappings/<kind>.json``."""
    text = files(__package__).joinpath("mappings", f"{kind}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def version(kind: Kind) -> int:
    """Return the version of the mapping; a change that old documents do not fit raises it."""
    return int(definition(kind)["mappings"]["_meta"]["version"])


@cache
def exact_fields(kind: Kind) -> frozenset[str]:
    """Return the fields that filters and facets may name."""
    fields = definition(kind)["mappings"]["properties"].items()
    return frozenset(n for n, f in fields if f["type"] in ("keyword", "boolean") and f.get("index", True))


def alias(prefix: str, kind: Kind) -> str:
    """Return the name that is read and written by."""
    return f"{prefix}{kind}"


def pattern(prefix: str, kind: Kind) -> str:
    """Return the pattern of all indices of a kind."""
    return f"{prefix}{kind}-v*"


def index_name(prefix: str, kind: Kind, number: int) -> str:
    """Return the name of one index: version of the mapping, then a running number."""
    return f"{prefix}{kind}-v{version(kind)}-{number:06}"


def number_of(index: str) -> int:
    """Return the running number in an index' name."""
    return int(index.rpartition("-")[2])
