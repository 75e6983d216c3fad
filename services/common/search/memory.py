"""The index in memory: the same promises with plain scoring, for tests and tools."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from html import escape
from typing import Any
from unicodedata import combining, normalize

from services.common.errors import Reject
from services.common.model import micros
from services.common.search import MARKED, Document, Hit, Kind, Outcome, Page, Query, Verdict, Write, pages
from services.common.search.conditions import Condition, Either, Every, Has, Not, Published, Says
from services.common.search.cursors import Place, Ranking
from services.common.search.fusion import Candidate, conversations, fused, hybrid
from services.common.search.indices import KINDS, definition
from services.common.search.limits import COUNTED, FACET_VALUES, RANKED, checked
from services.common.search.vectors import unpacked

_WORD = re.compile(r"[^\W_]+")
_DONE, _STALE = Outcome(verdict=Verdict.DONE), Outcome(verdict=Verdict.STALE, reason="a newer state is stored")
_SEARCHED = {"title": 3.0, "text": 1.0, "tags": 2.0, "phrases": 1.0, "actor_name": 1.0, "files": 1.0}


class MemorySearch:
    """Search over dictionaries. What was written is visible at once."""

    def __init__(self) -> None:
        self._documents: dict[Kind, dict[str, Document]] = {kind: {} for kind in KINDS}
        self._versions: dict[tuple[Kind, str], int] = {}

    async def prepare(self) -> None:
        """Nothing is missing."""

    async def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Write a batch; the outcomes are in the order of the writes."""
        return [self._write(write) for write in writes]

    def _write(self, write: Write) -> Outcome:
        if unknown := set(write.document or ()) - set(definition(write.kind)["mappings"]["properties"]):
            return Outcome(verdict=Verdict.REJECTED, reason=f"{write.kind} have no field {min(unknown)!r}")
        place = (write.kind, write.id)
        if write.version is not None and write.version < self._versions.get(place, write.version):
            return _STALE
        self._versions.pop(place, None)
        if write.version is not None:
            self._versions[place] = write.version
        if write.document is None:
            self._documents[write.kind].pop(write.id, None)
        else:
            self._documents[write.kind][write.id] = dict(write.document)
        return _DONE

    async def find(self, query: Query) -> Page:
        """Return one page of what matches and may be opened."""
        place = checked(query)
        allowed = self._allowed(query.kind, query.principals, query.holders)
        found = {id_: d for id_, d in allowed.items() if _fits(query, d)}
        score = _loosely if query.loose else _score
        scores = {id_: score(query.text, d) for id_, d in found.items()} if query.text else dict.fromkeys(found, 1.0)
        matching = {id_: found[id_] for id_, score in scores.items() if score > 0}
        facets = {name: _counts(name, matching) for name in query.facets}
        page = self._page(query, place, found, scores, matching, facets)
        return replace(page, threads=_threads_of(page, matching)) if query.threads else page

    def _page(
        self,
        query: Query,
        place: Place | Ranking | None,
        found: Mapping[str, Document],
        scores: Mapping[str, float],
        matching: Mapping[str, Document],
        facets: Mapping[str, Mapping[str, int]],
    ) -> Page:
        if query.order == "relevance":
            ranking = place if isinstance(place, Ranking) else self._rank(query, found, scores)
            hits = {
                one: Hit(id=one, document=_shown(found[one]), score=score, highlights=_marked(query, found[one]))
                for one, score in fused([ranking.ids])
                if one in found
            }
            return pages.ranked(query, ranking, hits, facets)
        at = place if isinstance(place, Place) else None
        rows = [(where, replace(hit, highlights=_marked(query, hit.document))) for where, hit in _rows(matching)]
        return pages.by_time(query, at, _after(query, at, rows), total=min(len(matching), COUNTED), facets=facets)

    def _rank(self, query: Query, found: Mapping[str, Document], scores: Mapping[str, float]) -> Ranking:
        near = query.vector is not None and query.kind == "objects"
        by_words = [one for one in sorted(found, key=lambda one: (-scores[one], one)) if scores[one] > 0]
        words = by_words if query.text or not near else []
        meaning = _nearest(query.vector, found) if near and query.vector is not None else []
        size = max(RANKED, query.size)
        ranked = hybrid(_candidates(words[:size], found), _candidates(meaning[:size], found), query.places)
        ids = tuple(one.id for one in (conversations(ranked) if query.conversations else ranked)[:size])
        return Ranking(ids, max(min(len(words or meaning), COUNTED), len(ids)))

    def _allowed(
        self, kind: Kind, principals: tuple[str, ...] | None, holders: tuple[str, ...] | None = None
    ) -> Mapping[str, Document]:
        documents = self._documents[kind]
        if principals is None:
            return documents
        asker = set(principals) - {MARKED}
        granted = pages.Granted(
            containers=self._granted(asker, "containers"),
            objects=self._granted(asker if holders is None else set(holders) - {MARKED}, "objects"),
            marked=self._granted({MARKED}, "objects"),
        )
        return {id_: d for id_, d in documents.items() if pages.may_open(kind, d, granted)}

    def _granted(self, principals: set[str], what: str) -> frozenset[str]:
        grants = (g for g in self._documents["grants"].values() if g.get("principal") in principals)
        return frozenset(one for grant in grants for one in grant.get(what, ()))

    async def find_all(self, queries: Sequence[Query]) -> Sequence[Page]:
        """Return a page of each query, in order."""
        return [await self.find(query) for query in queries]

    async def get(
        self, kind: Kind, ids: Sequence[str], *, principals: tuple[str, ...] | None
    ) -> Mapping[str, Document]:
        """Return the documents of those ids that are there and may be opened."""
        allowed = self._allowed(kind, principals)
        return {one: _shown(allowed[one]) for one in dict.fromkeys(ids) if one in allowed}

    async def count(self, kind: Kind) -> int:
        """Return how many documents there are."""
        return len(self._documents[kind])

    async def refresh(self, kind: Kind) -> None:
        """All is visible already."""

    async def stop(self) -> None:
        """Nothing to close."""


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "vector"}


def _values(document: Mapping[str, Any], name: str) -> list[str]:
    value = document.get(name)
    many = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in many]


def _moment(document: Mapping[str, Any], field: str = "published") -> int:
    """Return a time in ms, as Elasticsearch's dates have it."""
    return micros(datetime.fromisoformat(document[field])) // 1000 if field in document else 0


def _fits(query: Query, document: Mapping[str, Any]) -> bool:
    if not all(set(_values(document, name)) & set(values) for name, values in query.filters.items()):
        return False
    if any(set(_values(document, name)) & set(values) for name, values in query.without.items()):
        return False
    if query.where is not None and not _holds(query.where, document):
        return False
    return _within(query.since, query.until, document)


def _within(
    after: datetime | None, before: datetime | None, document: Mapping[str, Any], field: str = "published"
) -> bool:
    at = _moment(document, field)
    since, until = (None if one is None else micros(one) // 1000 for one in (after, before))
    return (since is None or at >= since) and (until is None or at < until)


def _holds(condition: Condition, document: Mapping[str, Any]) -> bool:
    match condition:
        case Has(field, values):
            mine = set(_values(document, field))
            return bool(mine & set(values) if values else mine)
        case Says(text, field):
            return _score(text, {field: document.get(field)} if field else document) > 0
        case Published(since, until, field):
            return _within(since, until, document, field)
        case Every(parts):
            return all(_holds(part, document) for part in parts)
        case Either(parts):
            return any(_holds(part, document) for part in parts)
        case Not(part):
            return not _holds(part, document)


def _words(text: str) -> list[str]:
    """Return the words, parts of names in code among them; accents and a plural's s make no difference."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", normalize("NFKD", text))
    plain = "".join(letter for letter in parts if not combining(letter))
    return [word.lower().rstrip("s") or word for word in _WORD.findall(plain)]


def _score(text: str, document: Mapping[str, Any]) -> float:
    """Return how often the words occur, weighted by field; 0 unless every word occurs somewhere."""
    asked = set(_words(text))
    counts: Counter[str] = Counter()
    for name, weight in _SEARCHED.items():
        for word in _words(" ".join(_values(document, name))):
            if word in asked:
                counts[word] += int(weight)
    return float(sum(counts.values())) if asked and asked == set(counts) else 0.0


def _loosely(text: str, document: Mapping[str, Any]) -> float:
    """Return how many of the words occur, perhaps spelt a little differently."""
    there = set(_words(" ".join(value for name in _SEARCHED for value in _values(document, name))))
    return float(sum(1 for word in set(_words(text)) if get_close_matches(word, there, 1, 0.75)))


def _candidates(ids: Sequence[str], documents: Mapping[str, Document]) -> list[Candidate]:
    of = ((one, documents[one]) for one in ids)
    return [
        Candidate(one, str(d.get("thread", "")), str(d.get("published", "")), tuple(_values(d, "context")))
        for one, d in of
    ]


def _nearest(vector: Sequence[float], documents: Mapping[str, Document]) -> list[str]:
    near = {
        id_: sum(a * b for a, b in zip(vector, unpacked(document["vector"]), strict=True))
        for id_, document in documents.items()
        if document.get("vector")
    }
    return sorted(near, key=lambda one: (-near[one], one))


def _counts(name: str, documents: Mapping[str, Document]) -> dict[str, int]:
    return dict(Counter(v for d in documents.values() for v in _values(d, name)).most_common(FACET_VALUES))


def _threads_of(page: Page, documents: Mapping[str, Document]) -> dict[str, int]:
    shown = {hit.document["thread"] for hit in page.hits if hit.document.get("thread")}
    return dict(Counter(d["thread"] for d in documents.values() if d.get("thread") in shown))


def _rows(documents: Mapping[str, Document]) -> list[pages.Row]:
    dated = ((Place(_moment(d), id_), Hit(id=id_, document=_shown(d))) for id_, d in documents.items())
    return sorted(dated, key=lambda row: (row[0].at, row[0].id))


def _after(query: Query, place: Place | None, rows: list[pages.Row]) -> Sequence[pages.Row]:
    newest = (query.order == "newest") != (place is not None and place.back)
    if newest:
        rows.reverse()
    if place is None:
        return rows[: query.size + 1]
    if abs(place.at) >= 1 << 63:
        raise Reject("the cursor is not one of ours; use those that a page was given with, unchanged")

    def behind(row: pages.Row) -> bool:
        here, there = (row[0].at, row[0].id), (place.at, place.id)
        return here < there if newest else here > there

    return [row for row in rows if behind(row)][: query.size + 1]


def _marked(query: Query, document: Mapping[str, Any]) -> dict[str, list[str]]:
    if not (query.highlight and query.text):
        return {}
    asked = set(_words(query.text))

    def mark(text: str) -> str:
        pieces = re.split(r"([^\W_]+)", text)
        return "".join(f"<mark>{escape(p)}</mark>" if asked & set(_words(p)) else escape(p) for p in pieces)

    fields = {name: str(document.get(name, "")) for name in ("title", "text")}
    return {name: [mark(text)] for name, text in fields.items() if asked & set(_words(text))}
