"""What a query may be, checked before anything is asked: the same by both adapters."""

from services.common.errors import Reject
from services.common.search import Kind, Query
from services.common.search.conditions import Condition, Has, Says, depth, leaves
from services.common.search.cursors import Place, Ranking, unpacked
from services.common.search.indices import exact_fields

TEXT = 1_000
"""Characters of a person's text."""
SIZE = 1_000
"""Hits of one page."""
VALUES = 1_000
"""Values of one filter."""
CONDITIONS = 600
"""Things that the conditions of one query ask for."""
DEPTH = 30
"""How deep conditions may lie within each other."""
RANKED = 100
"""Hits that an answer by relevance reaches down to; by time there is no such end."""
COUNTED = 10_000
"""``Page.total`` is exact up to here."""
FACET_VALUES = 20
"""Values of one facet, the most frequent ones."""


def checked(query: Query) -> Place | Ranking | None:
    """Return what the query's cursor says (None without one); raises Reject saying what is wrong with the query."""
    if len(query.text) > TEXT:
        raise Reject(f"the text has {len(query.text)} characters; ask with at most {TEXT}")
    if not 1 <= query.size <= SIZE:
        raise Reject(f"a page of {query.size} was asked for; ask for 1 to {SIZE}")
    for name in (*query.filters, *query.without, *query.facets):
        if name not in exact_fields(query.kind):
            raise Reject(f"{query.kind} have no field {name!r} to filter by")
    for name, values in (*query.filters.items(), *query.without.items()):
        if len(values) > VALUES:
            raise Reject(f"filter {name!r} has {len(values)} values; give at most {VALUES}")
    if query.where is not None:
        _check(query.where, query.kind)
    if not query.cursor:
        return None
    place = unpacked(query.cursor)
    if isinstance(place, Ranking) != (query.order == "relevance"):
        raise Reject("the cursor is of another order than the query; use it with the query that it was given for")
    return place


def _check(condition: Condition, kind: Kind) -> None:
    if depth(condition) > DEPTH:
        raise Reject(f"conditions lie more than {DEPTH} deep within each other; ask for less at once")
    asked = list(leaves(condition))
    if len(asked) > CONDITIONS:
        raise Reject(f"{len(asked)} conditions were given; give at most {CONDITIONS}")
    for one in asked:
        if isinstance(one, Has) and one.field not in exact_fields(kind):
            raise Reject(f"{kind} have no field {one.field!r} to ask for")
        if isinstance(one, Has) and len(one.values) > VALUES:
            raise Reject(f"condition {one.field!r} has {len(one.values)} values; give at most {VALUES}")
        if isinstance(one, Says) and not 0 < len(one.text) <= TEXT:
            raise Reject(f"the words of a condition have {len(one.text)} characters; give 1 to {TEXT}")
