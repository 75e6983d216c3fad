"""How well search finds: known items of the demonstration data, by words, by meaning, by both (docs/search.md)."""

import asyncio
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from math import log2
from uuid import uuid4

import uvloop
from rich.progress import track

from bench.index import DATA
from bench.table import Row
from services.common.activitystreams import parse_line
from services.common.embedding import embed
from services.common.model import Activity, Enriched
from services.common.search import Hit, Query, Search
from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from services.common.search.fusion import Candidate, Weights, hybrid
from services.enrich.pipeline import Knowledge, enrich
from services.indexer.document import writes

BODY = 120
"""Characters of text that an item must have beside its title."""
LATER = timedelta(days=30)
"""How long after the last act on an item it is looked for."""
DEPTH = 100
_BATCH = 2_000
_PLACES = 20
_WORDS = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that somebody who took part in it looks for, by a title that the index does not have."""

    object: str
    title: str
    person: str
    places: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for an item, by words and by meaning."""

    item: Item
    words: Sequence[Candidate]
    meaning: Sequence[Candidate]


Ranker = Callable[[Found], Sequence[Candidate]]
RANKERS: Mapping[str, Ranker] = {
    "words": lambda found: found.words,
    "meaning": lambda found: found.meaning,
    "both": lambda found: hybrid(found.words, found.meaning, weights=Weights(recency=0.0, places=0.0)),
    "both, newness, own places": lambda found: hybrid(found.words, found.meaning, found.item.places),
}


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Look for every known item by each way."""
    del kafka
    return await asyncio.to_thread(uvloop.run, _measured(elastic))


async def _measured(elastic: str) -> list[Row]:
    found = await candidates(elastic)
    test = [one for one in found if not chosen_on(one.item)]
    rows = []
    for name, ranker in RANKERS.items():
        ranks = [rank_of(one.item.object, ranker(one)) for one in test]
        rows.append(Row(f"search by {name}: MRR", mrr(ranks), f"of {len(test)} items"))
        rows.append(Row(f"search by {name}: NDCG at 10", ndcg(ranks), f"of {len(test)} items"))
    best = max(row.value for row in rows[:-2:2])
    return [*rows[:-2], replace(rows[-2], ratio=rows[-2].value / best, bar="ratio >= 1"), rows[-1]]


async def candidates(elastic: str) -> list[Found]:
    """Index the data without the titles of the items, and ask for each item."""
    items, states = await asyncio.to_thread(prepared)
    search = ElasticSearch(Client(elastic), f"bench-{uuid4().hex[:8]}-")
    await search.prepare()
    try:
        for first in range(0, len(states), _BATCH):
            some = states[first : first + _BATCH]
            await search.write([w for one in some for w in writes(one, withdrawn=False, restricted=False)])
        await search.refresh("objects")
        vectors = await asyncio.to_thread(embed, [item.title for item in items])
        pairs = list(zip(items, vectors, strict=True))
        return [await _ask(search, item, vector) for item, vector in track(pairs, description="asking")]
    finally:
        await search.remove_all()
        await search.stop()


async def _ask(search: Search, item: Item, vector: Sequence[float]) -> Found:
    query = Query(kind="objects", principals=None, order="relevance", size=DEPTH, until=item.at)
    words, meaning = await asyncio.gather(
        search.find(replace(query, text=item.title)), search.find(replace(query, vector=[float(v) for v in vector]))
    )
    return Found(item, [_candidate(hit) for hit in words.hits], [_candidate(hit) for hit in meaning.hits])


def _candidate(hit: Hit) -> Candidate:
    d = hit.document
    return Candidate(hit.id, d.get("thread", ""), d.get("published", ""), tuple(d.get("context", ())))


def prepared() -> tuple[list[Item], list[Enriched]]:
    """Return the items, and all activities enriched, those on items without the title."""
    with gzip.open(DATA) as lines:
        activities = [parse_line(line) for line in lines]
    items = items_of(activities)
    hidden = {item.object for item in items}
    shown = [without_title(one) if one.object.id in hidden else one for one in activities]
    knowledge, states = Knowledge(), list[Enriched]()
    for first in range(0, len(shown), _BATCH):
        states += enrich(shown[first : first + _BATCH], knowledge)
    return items, states


def items_of(activities: Sequence[Activity]) -> list[Item]:
    """Return the known items: titles that one object alone has, and text of its own beside the title."""
    acts: defaultdict[str, list[Activity]] = defaultdict(list)
    titles: defaultdict[str, set[str]] = defaultdict(set)
    by: defaultdict[str, list[Activity]] = defaultdict(list)
    for one in activities:
        acts[one.object.id].append(one)
        titles[_plain(one.object.title)].add(one.object.id)
        by[one.actor.id].append(one)
    found = []
    for id_, many in acts.items():
        title = next((one.object.title for one in many if one.object.title), "")
        bodies = [without_title(one).object.content for one in many]
        if len(title.split()) < 3 or len(titles[_plain(title)]) > 1 or len(max(bodies, key=len)) < BODY:
            continue
        if any(_plain(title) in _plain(body) for body in bodies):
            continue
        last = many[-1]
        at = last.published + LATER
        own = _places(one for one in by[last.actor.id] if one.object.id != id_ and one.published < at)
        found.append(Item(id_, title, last.actor.id, own, at))
    return found


def _places(acts: Iterable[Activity]) -> tuple[str, ...]:
    """Return where somebody was active most, as the gateway asks the index for it."""
    counted = Counter(c.id for one in acts for c in one.context)
    return tuple(place for place, _ in counted.most_common(_PLACES))


def without_title(activity: Activity) -> Activity:
    """Return an activity whose object has no title, in its text neither."""
    thing = activity.object
    content = thing.content.removeprefix(thing.title).lstrip() if thing.title else thing.content
    return replace(activity, object=replace(thing, title="", content=content))


def chosen_on(item: Item) -> bool:
    """Return whether an item is of the half that the weights were chosen on; the other half is reported."""
    return blake2b(item.object.encode(), digest_size=1).digest()[0] % 2 == 0


def rank_of(object_id: str, ranked: Sequence[Candidate]) -> int:
    """Return the rank from 1; 0 where the object is not among the first hundred."""
    return next((rank for rank, one in enumerate(ranked[:DEPTH], start=1) if one.id == object_id), 0)


def mrr(ranks: Sequence[int]) -> float:
    """Return the mean reciprocal rank; what was not found counts 0."""
    return sum(1 / rank for rank in ranks if rank) / len(ranks)


def ndcg(ranks: Sequence[int], at: int = 10) -> float:
    """Return the mean discounted gain among the first ten, of one relevant object each: 1 / log2(1 + rank)."""
    return sum(1 / log2(1 + rank) for rank in ranks if 0 < rank <= at) / len(ranks)


def _plain(text: str) -> str:
    return " ".join(_WORDS.split(text.lower())).strip()
