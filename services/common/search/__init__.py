"""The port to the index. The indexer writes, the gateway reads; ``elastic`` and ``memory`` keep the same promises.

Three kinds of documents, each behind an alias of its own (see ``mappings/*.json``):

* ``activities``: one per activity, id = activity id;
* ``objects``: one per object in its newest state, id = object id; a deleted one stays as a tombstone without text;
* ``grants``: one (or more, when large) per principal, with the containers and objects that it may open.

Promises, checked by tests/contract/test_search.py over both adapters:

* a write with a lower version than the stored one is ``STALE`` and changes nothing; an equal or higher one wins;
* ``find`` gives only what a principal of the asker may open by ``grants``: no grant means no;
* paging by ``cursor`` neither loses nor repeats what was there when it began (an object that changes meanwhile is
  found again at the top); by relevance it shows the ranking as it was, down to ``limits.RANKED`` hits;
* facets, totals and highlights come from what the asker may open, and from nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal, Protocol

from services.common.search.conditions import Condition

Kind = Literal["activities", "objects", "grants"]
Document = dict[str, Any]

GRANT_LIMIT = 65_536
"""Terms that one terms lookup takes in Elasticsearch (index.max_terms_count); larger grants are split."""

MARKED = "(restricted)"
"""Grants document whose ``objects`` are all that are restricted by themselves, whenever they were indexed."""

APPLIED = "(applied)"
"""Grants document whose ``objects`` say how far ``access.v1`` is applied: "<partition>:<next offset>" each."""


def part_id(principal: str, part: int) -> str:
    """Return the id of a principal's grants document; ``part`` counts from 1."""
    return principal if part == 1 else f"{principal}#{part}"


class Verdict(Enum):
    """What became of one write, and so what happens next."""

    DONE = "done"
    STALE = "stale"  # a newer state is stored: as good as done
    PRESSURE = "pressure"  # write this one again, later
    REJECTED = "rejected"  # can never succeed: dead-letter it
    FATAL = "fatal"  # every other would fail as well: stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write. ``document`` None deletes. ``version`` None overwrites whatever is there."""

    kind: Kind
    id: str
    document: Document | None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the write at the same place of the batch; ``reason`` is one sentence for people."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to find, within ``limits``. ``principals`` None asks as the system itself; a gateway never does.

    ``filters`` maps a field to allowed values (any of them); different fields are joined by "and".
    ``text`` is what a person typed: never a query language. ``vector`` (256 floats) adds objects near by meaning.
    """

    kind: Kind
    principals: tuple[str, ...] | None
    holders: tuple[str, ...] | None = None
    """Those who were granted objects by themselves; None: any of the principals may have been."""
    text: str = ""
    vector: Sequence[float] | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: Condition | None = None
    """What must hold besides."""
    loose: bool = False
    """Words need not be spelt as they stand there: one or two letters may differ (by relevance only)."""
    places: tuple[str, ...] = ()
    """Places of the asker: what lies there counts a little more where words and meaning are fused."""
    conversations: bool = False
    """By relevance give the best hit of each conversation only."""
    since: datetime | None = None
    until: datetime | None = None
    order: Literal["newest", "oldest", "relevance"] = "newest"
    size: int = 20
    cursor: str = ""
    """Opaque: ``Page.next`` or ``Page.previous`` of an earlier answer to the same query."""
    facets: tuple[str, ...] = ()
    threads: bool = False
    """Count what matches of the conversation of each hit."""
    highlight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One document found, without its vector. ``highlights`` are safe HTML fragments (``<mark>`` only) by field.

    ``score`` compares hits of one ranking; by time it is 0.
    """

    id: str
    document: Document
    score: float = 0.0
    highlights: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of an answer. ``next`` and ``previous`` are empty where there is nothing more.

    ``total`` is exact up to ``limits.COUNTED`` and stays there beyond it.
    """

    hits: Sequence[Hit]
    total: int
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    threads: Mapping[str, int] = field(default_factory=dict)
    """By the ``thread`` of hits, how many things of it match the words and filters."""
    next: str = ""
    previous: str = ""
    last: str = ""
    """Cursor of the page at the far end."""


class Search(Protocol):
    """The index. Reads raise Retry when it does not answer, Reject for a foreign cursor or what ``limits`` forbid."""

    async def prepare(self) -> None:
        """Make templates, indices and aliases that are missing; raise Stop when what is there does not fit."""

    async def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Write a batch; the outcomes are in the order of the writes. Raises Retry when nothing was answered."""

    async def find(self, query: Query) -> Page:
        """Return one page of what matches and may be opened."""

    async def find_all(self, queries: Sequence[Query]) -> Sequence[Page]:
        """Return a page of each query, in order; cheaper than asking one after the other."""

    async def get(
        self, kind: Kind, ids: Sequence[str], *, principals: tuple[str, ...] | None
    ) -> Mapping[str, Document]:
        """Return the documents of those ids that are there and may be opened."""

    async def count(self, kind: Kind) -> int:
        """Return how many documents there are."""

    async def refresh(self, kind: Kind) -> None:
        """Make what was written visible to ``find`` now (tests and tools; ``get`` always sees it)."""

    async def stop(self) -> None:
        """Close."""
