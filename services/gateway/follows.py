"""What people follow: people, places and tags by id, and their own saved searches. Pure."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from multidict import MultiDict

from services.common.search.conditions import Condition, Either, Has
from services.gateway import filters as asked
from services.gateway.filters import Filters
from services.gateway.remembered import Remembered

MOST = 500
"""Things that one person may follow."""
SEARCH = "search:"
"""A saved search is followed by its name behind this."""
SAVED = "search/"
"""Names of settings that hold saved searches."""
_FIELDS = ("people", "context", "tags")
"""Fields of the index that a followed id is looked for in: ids of one kind do not occur as another."""


def searches(remembered: Remembered, person: str) -> Mapping[str, str]:
    """Return a person's saved searches: name and query string."""
    return {name: str(value.get("query", "")) for name, value in remembered.of(person, SAVED).items()}


def question(query: str) -> Filters:
    """Return what a query string asks for; raises Problem that names what is wrong with it."""
    pairs = MultiDict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=100))
    asked.only(pairs, *asked.FIELDS, "since", "until", "q")
    return asked.read(pairs)


def followed(refs: tuple[str, ...], saved: Mapping[str, str]) -> Condition:
    """Return what holds of an activity that somebody follows, by the newest follows; nothing where there are none."""
    refs = refs[-MOST:]
    ids = tuple(ref for ref in refs if not ref.startswith(SEARCH))
    named = [saved[name] for ref in refs if ref.startswith(SEARCH) and (name := ref.removeprefix(SEARCH)) in saved]
    parts: list[Condition] = [Has(field, ids) for field in _FIELDS] if ids else []
    return Either((*parts, *(question(query).condition() for query in named)))
