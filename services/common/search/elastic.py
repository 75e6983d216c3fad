"""The index on Elasticsearch, by elasticsearch-py's asynchronous client."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from elasticsearch import ApiError, TransportError

from services.common.errors import Retry
from services.common.search import MARKED, Document, Hit, Kind, Outcome, Page, Query, Verdict, Write, pages
from services.common.search import elastic_bulk as bulk
from services.common.search import elastic_query as build
from services.common.search.cursors import Place, Ranking
from services.common.search.elastic_admin import Indices, path
from services.common.search.elastic_client import BULK_SECONDS, Client, reason
from services.common.search.elastic_grants import Grants
from services.common.search.fusion import Candidate, conversations, fused, hybrid
from services.common.search.indices import KINDS, alias
from services.common.search.limits import RANKED, checked
from services.common.settings import Settings

_HEAD = {"allow_partial_search_results": False}
_NONE = ("",)
_AT_ONCE = 1_000
"""Documents of one request by id."""


class ElasticSearch:
    """Search over one Elasticsearch and one prefix."""

    def __init__(self, client: Client, prefix: str, *, refresh: str = "1s") -> None:
        self._client = client
        self._grants = Grants(client, prefix)
        self._names: Mapping[Kind, str] = {kind: alias(prefix, kind) for kind in KINDS}
        self._through_aliases = True
        self.indices = Indices(client, prefix, refresh=refresh)

    @classmethod
    def from_settings(cls, settings: Settings) -> "ElasticSearch":
        """Return the index of the settings; nothing is asked of it yet."""
        return cls(Client.from_settings(settings), settings.index_prefix)

    def into(self, names: Mapping[Kind, str]) -> "ElasticSearch":
        """Return a writer to these very indices, past the aliases (to fill new ones). It shares the client."""
        other = ElasticSearch.__new__(ElasticSearch)
        other.__dict__ = {**self.__dict__, "_names": {**self._names, **names}, "_through_aliases": False}
        return other

    async def prepare(self) -> None:
        """Make templates, indices and aliases that are missing; raise Stop when what is there does not fit."""
        await self.indices.prepare()

    async def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Write a batch; the outcomes are in the order of the writes. Raises Retry when nothing was answered.

        Grants are visible at once, other documents with the next refresh.
        """
        outcomes: dict[int, Outcome] = {}
        sent: list[tuple[int, bytes]] = []
        for number, write in enumerate(writes):
            try:
                sent.append((number, bulk.lines(write, self._names[write.kind])))
            except TypeError as error:
                outcomes[number] = Outcome(verdict=Verdict.REJECTED, reason=f"the document is not JSON: {error}")
        at_once = any(write.kind == "grants" for write in writes)
        answered = await self._bulk([line for _, line in sent], at_once=at_once)
        outcomes |= {number: outcome for (number, _), outcome in zip(sent, answered, strict=True)}
        return [outcomes[number] for number in range(len(writes))]

    async def _bulk(self, lines: Sequence[bytes], *, at_once: bool) -> Sequence[Outcome]:
        if not lines:
            return ()
        try:
            answer = await self._client.raw.options(request_timeout=BULK_SECONDS).bulk(
                operations=cast(Any, lines),  # bytes are taken as they are, whatever the annotation says
                refresh=at_once,
                require_alias=self._through_aliases,
                filter_path=bulk.ANSWER,
            )
        except ApiError as error:
            if error.meta.status in (400, 413) and len(lines) > 1:
                return await self._halves(lines, at_once=at_once)
            return bulk.whole(error.meta.status, reason(error), len(lines))
        except TransportError as error:
            raise self._client.meaning(error) from error
        return bulk.outcomes(answer.body)

    async def _halves(self, lines: Sequence[bytes], *, at_once: bool) -> Sequence[Outcome]:
        """Send the halves one after the other: too large together, or one bad write spoils the request."""
        middle = len(lines) // 2
        first = await self._bulk(lines[:middle], at_once=at_once)
        try:
            return [*first, *await self._bulk(lines[middle:], at_once=at_once)]
        except Retry as error:
            busy = Outcome(verdict=Verdict.PRESSURE, reason=str(error))
            return [*first, *[busy] * (len(lines) - middle)]

    async def find(self, query: Query) -> Page:
        """Return one page of what matches and may be opened."""
        place = checked(query)
        allowed = await self._access(query)
        if isinstance(place, Ranking) or query.order == "relevance":
            return await self._ranked(query, allowed, place if isinstance(place, Ranking) else None)
        answer = await self._ask(query.kind, build.by_time(query, allowed, place))
        return await self._with_threads(query, allowed, _by_time(query, place, answer))

    async def find_all(self, queries: Sequence[Query]) -> Sequence[Page]:
        """Return a page of each query, in order; those by time are asked for in one request."""
        plain = [query for query in queries if query.order != "relevance" and not query.threads]
        if len(plain) < len(queries):
            return await asyncio.gather(*(self.find(query) for query in queries))
        places = [_time(query) for query in queries]
        bodies = [
            (query.kind, build.by_time(query, await self._access(query), place))
            for query, place in zip(queries, places, strict=True)
        ]
        answers = await self._ask_all(bodies)
        return [_by_time(*one) for one in zip(queries, places, answers, strict=True)]

    async def _access(self, query: Query) -> dict[str, Any] | None:
        if query.principals is None:
            return None
        holders = query.principals if query.holders is None else query.holders
        granted, objects = [
            await self._grants.documents([p for p in who if p != MARKED]) for who in (query.principals, holders)
        ]
        marked = await self._grants.documents([MARKED])
        return build.access(query.kind, self._grants.index, granted, objects, marked)

    async def _ranked(self, query: Query, allowed: dict[str, Any] | None, ranking: Ranking | None) -> Page:
        """Ask for a ranking, unless it is known already, then at once for all that is said of its page."""
        threads: Mapping[str, str] = {}
        if ranking is None:
            ranking, threads = await self._rank(query, allowed, max(RANKED, query.size))
        ids = ranking.ids[ranking.start : ranking.start + query.size]
        names = tuple(dict.fromkeys(threads[one] for one in ids if threads.get(one))) if query.threads else ()
        bodies = {
            "hits": build.these(query, allowed, ids) if ids else None,
            "facets": build.counts(query, allowed, ranking) if query.facets else None,
            "threads": build.of_threads(query, allowed, names) if names else None,
        }
        asked = {name: body for name, body in bodies.items() if body is not None}
        answered = await self._ask_all([(query.kind, body) for body in asked.values()])
        answers = dict(zip(asked, answered, strict=True))
        scores = dict(fused([ranking.ids]))
        found = answers["hits"]["hits"]["hits"] if ids else ()
        hits = {hit.id: replace(hit, score=scores[hit.id]) for hit in map(_hit, found)}
        facets = _facets(answers["facets"]) if query.facets else {}
        page = pages.ranked(query, ranking, hits, facets)
        if threads or not query.threads:
            return replace(page, threads=_threads(answers["threads"]) if names else {})
        return await self._with_threads(query, allowed, page)

    async def _with_threads(self, query: Query, allowed: dict[str, Any] | None, page: Page) -> Page:
        """Count what matches of the conversations of a page, where that is asked for."""
        names = tuple(dict.fromkeys(str(one.document["thread"]) for one in page.hits if one.document.get("thread")))
        if not (query.threads and names):
            return page
        return replace(page, threads=_threads(await self._ask(query.kind, build.of_threads(query, allowed, names))))

    async def _rank(self, query: Query, allowed: dict[str, Any] | None, size: int) -> tuple[Ranking, Mapping[str, str]]:
        """Ask by words and by meaning at once, and make one ranking of both; also return each one's conversation."""
        near = query.vector is not None and query.kind == "objects"
        words = query.text or not near
        requests = [build.by_words(query, allowed, size if words else 0)]
        requests += [build.by_meaning(query, allowed, size)] if near else []
        answers = await self._ask_all([(query.kind, body) for body in requests])
        rankings = [_candidates(answer["hits"]["hits"]) for answer in answers]
        by_words, by_meaning = rankings[0], rankings[1] if near else []
        found = hybrid(by_words, by_meaning, query.places)
        kept = conversations(found) if query.conversations else found
        ids = tuple(one.id for one in kept[:size])
        total = max(_total(answers[0]) if words else 0, len(ids))
        return Ranking(ids, total), {one.id: one.thread for one in kept[:size]}

    async def _ask(self, kind: Kind, body: dict[str, Any]) -> Mapping[str, Any]:
        where = f"/{path(self._names[kind])}/_search"
        answer = await self._client.ask("POST", where, body, allow_partial_search_results="false")
        return _in_time(answer)

    async def _ask_all(self, asked: Sequence[tuple[Kind, dict[str, Any]]]) -> Sequence[Mapping[str, Any]]:
        """Ask several questions in one request; returns their answers in order."""
        if len(asked) < 2:
            return [await self._ask(kind, body) for kind, body in asked]
        lines = [line for kind, body in asked for line in (_HEAD | {"index": self._names[kind]}, body)]
        return [_in_time(answer) for answer in await self._client.ask_all(lines)]

    async def get(
        self, kind: Kind, ids: Sequence[str], *, principals: tuple[str, ...] | None
    ) -> Mapping[str, Document]:
        """Return the documents of those ids that are there and may be opened, as last written."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Document] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            found |= await self._read(kind, wanted[start : start + _AT_ONCE])
        if principals is None:
            return found
        # Asked even where nothing was found: the time that an answer takes must not tell absent from forbidden.
        granted = await self._grants.granted(principals, pages.containers_of(found), pages.objects_of(kind, found))
        return {one: d for one, d in found.items() if pages.may_open(kind, d, granted)}

    async def _read(self, kind: Kind, ids: Sequence[str]) -> dict[str, Document]:
        body = {"ids": [bulk.document_id(one) for one in ids]}
        answer = await self._client.ask("POST", f"/{path(self._names[kind])}/_mget", body)
        return {one: _document(doc) for one, doc in zip(ids, answer["docs"], strict=True) if doc.get("found")}

    async def count(self, kind: Kind) -> int:
        """Return how many documents there are."""
        answer = await self._client.ask("GET", f"/{path(self._names[kind])}/_count")
        return int(answer["count"])

    async def refresh(self, kind: Kind) -> None:
        """Make what was written visible to ``find`` now."""
        await self._client.ask("POST", f"/{path(self._names[kind])}/_refresh")

    async def remove_all(self) -> None:
        """Delete every index and template of this prefix (tests and tools)."""
        await self.indices.remove_all()

    async def stop(self) -> None:
        """Close."""
        await self._client.raw.close()


def _document(hit: Mapping[str, Any]) -> Document:
    """Return a document without its vector. Elasticsearch leaves that out by itself; to ask it to costs it a parse."""
    found: Document = hit["_source"]
    found.pop("vector", None)  # of an index that was made before 9.2
    return found


def _hit(hit: Mapping[str, Any]) -> Hit:
    document = _document(hit)
    return Hit(id=document.get("id", hit["_id"]), document=document, highlights=hit.get("highlight", {}))


def _candidates(hits: Sequence[Mapping[str, Any]]) -> list[Candidate]:
    """Return what a ranking holds, of things with the same score the newest first."""
    scored = [(hit["_score"] or 0.0, _candidate(hit["fields"])) for hit in hits]
    scored.sort(key=lambda pair: pair[1].id)
    scored.sort(key=lambda pair: (pair[0], pair[1].published), reverse=True)
    return [one for _, one in scored]


def _candidate(fields: Mapping[str, Sequence[str]]) -> Candidate:
    (id_,), (thread,), (published,) = fields["id"], fields.get("thread", _NONE), fields.get("published", _NONE)
    return Candidate(id_, thread, published, tuple(fields.get("context", ())))


def _time(query: Query) -> Place | None:
    place = checked(query)
    assert not isinstance(place, Ranking), "checked: the cursor is of the query's order"
    return place


def _by_time(query: Query, place: Place | None, answer: Mapping[str, Any]) -> Page:
    rows = [(Place(int(h["sort"][0]), h["sort"][1]), _hit(h)) for h in answer["hits"]["hits"]]
    return pages.by_time(query, place, rows, total=_total(answer), facets=_facets(answer))


def _in_time(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if answer["timed_out"]:
        raise Retry("Elasticsearch was too busy to answer the query in time; ask again")
    return answer


def _threads(answer: Mapping[str, Any]) -> Mapping[str, int]:
    return build.counted(answer["aggregations"])["thread"]


def _total(answer: Mapping[str, Any]) -> int:
    return int(answer["hits"]["total"]["value"])


def _facets(answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    return build.counted(answer.get("aggregations", {}))
