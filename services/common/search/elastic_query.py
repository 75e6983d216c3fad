"""Our queries in Elasticsearch's words. Pure. A person's text only ever becomes the text of a ``match``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.common.search import Kind, Query
from services.common.search.conditions import Condition, Either, Every, Has, Not, Published, Says
from services.common.search.cursors import Place, Ranking
from services.common.search.limits import COUNTED, FACET_VALUES

Body = dict[str, Any]

TIMEOUT = "5s"
"""For one query on the server; an answer that is late is refused, not shortened."""
_PROSE = ("title^3", "text", "tags.words^2", "phrases.words", "actor_name.words")
_CODE = {"activities": ("title.code^2", "text.code", "files.code^2"), "objects": ("title.code^2", "text.code")}
_CANDIDATE: Body = {
    "_source": False,
    "stored_fields": "_none_",
    "docvalue_fields": ["id", "thread", "published", "context"],
}
"""What a ranking is made of, from columns: to read a hundred whole documents takes longer than to find them."""
_NEIGHBOURS = 4
"""Candidates looked at per neighbour that is asked for, in each segment: recall for time."""


def access(kind: Kind, index: str, granted: Sequence[str], holders: Sequence[str], marked: Sequence[str]) -> Body:
    """Return the filter that lets through what the asker may open; no grant means no.

    ``granted`` are documents of the grants ``index`` for the asker, ``holders`` those of them that may name objects,
    ``marked`` those of what is restricted by itself. A mark counts whether it stood when the document was written or
    came later. Each lookup is a read of its own in Elasticsearch.
    """

    def lookups(field: str, documents: Sequence[str], path: str) -> list[Body]:
        return [{"terms": {field: {"index": index, "id": document, "path": path}}} for document in documents]

    name = "object" if kind == "activities" else "id"
    unmarked = {
        "bool": {"filter": [{"term": {"restricted": False}}], "must_not": lookups(name, marked, "objects")},
    }
    return {
        "bool": {
            "filter": [
                _any(lookups("container", granted, "containers")),
                _any([unmarked, *lookups(name, holders, "objects")]),
            ]
        }
    }


def _any(clauses: list[Body]) -> Body:
    return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else {"match_none": {}}


def conditions(query: Query) -> tuple[list[Body], list[Body]]:
    """Return the clauses that must and that must not hold, apart from access and text."""
    must: list[Body] = [{"terms": {name: list(values)}} for name, values in query.filters.items()]
    if query.since or query.until:
        must.append(_window(query.since, query.until))
    if query.where is not None:
        must.append(clause(query.where, query.kind))
    return must, [{"terms": {name: list(values)}} for name, values in query.without.items()]


def _window(since: datetime | None, until: datetime | None, field: str = "published") -> Body:
    window = {key: at.isoformat() for key, at in (("gte", since), ("lt", until)) if at}
    return {"range": {field: window}}


def clause(condition: Condition, kind: Kind) -> Body:
    """Return a condition as a clause."""
    match condition:
        case Has(field, ()):
            return {"exists": {"field": field}}
        case Has(field, values):
            return {"terms": {field: list(values)}}
        case Says(text, ""):
            return words(text, kind)
        case Says(text, field):
            return {"match": {field: {"query": text, "operator": "and"}}}
        case Published(since, until, field):
            return _window(since, until, field)
        case Every(parts):
            return {"bool": {"filter": [clause(part, kind) for part in parts]}}
        case Either(parts):
            return _any([clause(part, kind) for part in parts])
        case Not(part):
            return {"bool": {"must_not": [clause(part, kind)]}}


def loosely(text: str) -> Body:
    """Return the clause for words that may be misspelt; the first letter has to be right."""
    return {
        "multi_match": {
            "query": text,
            "fields": ["title^3", "text", "tags.words^2"],
            "fuzziness": "AUTO",
            "prefix_length": 1,
            "max_expansions": 200,
        }
    }


def words(text: str, kind: Kind) -> Body:
    """Return the clause for what a person typed: as prose, or as names and paths in code."""
    prose = {"query": text, "type": "best_fields", "fields": list(_PROSE)}
    asked: list[Body] = [
        {"multi_match": {**prose, "minimum_should_match": "2<75%", "tie_breaker": 0.3}},
        {"multi_match": {"query": text, "fields": list(_CODE.get(kind, ())), "operator": "and"}},
    ]
    return {"dis_max": {"queries": asked, "tie_breaker": 0.2}}


def in_one_piece(text: str) -> Body:
    """Return the clause for the words next to each other, which is better."""
    return {"multi_match": {"query": text, "type": "phrase", "slop": 2, "fields": ["title^3", "text"]}}


def matching(query: Query, allowed: Body | None) -> Body:
    """Return the whole condition of a query."""
    must, must_not = conditions(query)
    if allowed:
        must.append(allowed)
    whole: Body = {"filter": must, "must_not": must_not}
    if query.text:
        whole["must"] = [loosely(query.text) if query.loose else words(query.text, query.kind)]
    return {"bool": whole}


def _base(size: int) -> Body:
    return {"size": size, "timeout": TIMEOUT, "track_total_hits": COUNTED}


def by_time(query: Query, allowed: Body | None, place: Place | None) -> Body:
    """Return the request for a page by time; one hit more than the page tells whether there is another."""
    newest = (query.order == "newest") != (place is not None and place.back)
    direction = "desc" if newest else "asc"
    published: Body = {"order": direction, "format": "epoch_millis"}
    # Activities all have a time, and are asked for as their index is sorted: the newest lie first, and the rest is
    # counted at most. With a value for those that have none the two orders would differ.
    published |= {} if query.kind == "activities" else {"missing": 0}
    body = _base(query.size + 1) | {
        "query": matching(query, allowed),
        "sort": [{"published": published}, {"id": direction}],
    }
    if place is not None:
        body["search_after"] = [place.at, place.id]
    return _with_extras(body, query)


def by_words(query: Query, allowed: Body | None, size: int) -> Body:
    """Return the request for the ranking by text (all alike where there is none: then the newest first).

    Words in one piece are looked for among the best alone: to look where words stand, in all that has them, takes
    longer than all the rest. Sorted by nothing but the score, what cannot be among the best is passed over.
    """
    body = _base(size) | {"query": matching(query, allowed)} | _CANDIDATE
    if not query.text:
        return body | {"sort": [{"published": "desc"}, {"id": "asc"}]}
    if query.loose or size < 2 or len(query.text.split()) < 2:
        return body
    return body | {"rescore": {"window_size": size, "query": {"rescore_query": in_one_piece(query.text)}}}


def counts(query: Query, allowed: Body | None, ranking: Ranking) -> Body:
    """Return the request for the facets of a ranked answer: of what matches by words, or was near by meaning.

    Like the total, they count no further than ``COUNTED``.
    """
    near: Body = {"terms": {"id": list(ranking.ids)}}
    either = _any([matching(query, None), near] if query.text else [near])
    whole: Body = {"bool": {"filter": [either, *([allowed] if allowed else [])]}}
    return _base(0) | {"query": whole, "aggs": facets(query.facets), "terminate_after": COUNTED}


def of_threads(query: Query, allowed: Body | None, threads: Sequence[str]) -> Body:
    """Return the request for how much of each of some conversations matches."""
    among = replace(query, filters={**query.filters, "thread": tuple(threads)})
    terms = {"field": "thread", "include": list(threads), "size": len(threads)}
    return _base(0) | {"query": matching(among, allowed), "aggs": {"thread": {"terms": terms}}}


def by_meaning(query: Query, allowed: Body | None, size: int) -> Body:
    """Return the request for the ranking by nearness of vectors; filters hold for every neighbour."""
    must, must_not = conditions(query)
    must += [allowed] if allowed else []
    neighbours = {
        "field": "vector",
        "query_vector": list(query.vector or ()),
        "k": size,
        "num_candidates": size * _NEIGHBOURS,
        "filter": {"bool": {"filter": must, "must_not": must_not}},
    }
    return {"size": size, "timeout": TIMEOUT, "knn": neighbours} | _CANDIDATE


def these(query: Query, allowed: Body | None, ids: Sequence[str]) -> Body:
    """Return the request for the documents of a page whose ids are known, with highlights of the query's text."""
    must: list[Body] = [{"terms": {"id": list(ids)}}]
    body = _base(len(ids)) | {"query": {"bool": {"filter": [*must, *([allowed] if allowed else [])]}}}
    return body | _highlight(query)


def _with_extras(body: Body, query: Query) -> Body:
    if query.facets:
        body["aggs"] = facets(query.facets)
    return body | _highlight(query)


def facets(names: Iterable[str]) -> Body:
    """Return the aggregations that count the most frequent values of fields."""
    return {name: {"terms": {"field": name, "size": FACET_VALUES}} for name in names}


def _highlight(query: Query) -> Body:
    if not (query.highlight and query.text):
        return {}

    def field(name: str, fragments: int) -> Body:
        return {"matched_fields": [name, f"{name}.code"], "number_of_fragments": fragments}

    return {
        "highlight": {
            "encoder": "html",
            "pre_tags": ["<mark>"],
            "post_tags": ["</mark>"],
            "max_analyzed_offset": 100_000,
            "fragment_size": 160,
            "highlight_query": words(query.text, query.kind),
            "fields": {"title": field("title", 0), "text": field("text", 3)},
        }
    }


def counted(aggregations: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return facets from the answer to ``facets``."""
    return {
        name: {str(b.get("key_as_string", b["key"])): int(b["doc_count"]) for b in found["buckets"]}
        for name, found in aggregations.items()
    }
