"""The demonstration data as often as it takes to be a large organisation, put straight into the index.

Every copy has things of its own, and other words in its texts: a share of them is replaced by words drawn as often as
they stand in the data, so that there are as many different texts as in a real organisation. Vectors are those of these
texts. People and places are those of a few organisations, which the copies take turns in.
"""

import asyncio
import gzip
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from math import lcm
from typing import TypeVar

from rich.progress import Progress

from bench.index import DATA
from services.common.activitystreams import parse_line
from services.common.embedding import embed, to_bytes
from services.common.errors import Retry
from services.common.model import Access, AccessKind, Container, Enriched, Visibility
from services.common.search import Outcome, Search, Verdict, Write
from services.enrich.pipeline import Knowledge, enrich
from services.indexer.document import writes

PEOPLE, PLACES = 25, 10
"""Organisations' worth of people and of places; copies beyond take turns."""
_REPLACED = 0.3
"""Share of the words of a text that a copy has others for."""
_BACK = timedelta(days=20)
"""How much older each copy is than the one before."""
_BATCH = 1_500
_ATTEMPTS, _PAUSE = 60, 5.0
_T = TypeVar("_T")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class World:
    """The data once, enriched, and its words as often as they stand there."""

    states: Sequence[Enriched]
    words: Sequence[str]

    @classmethod
    def load(cls) -> "World":
        """Read and enrich the data."""
        with gzip.open(DATA) as lines:
            activities = [parse_line(line) for line in lines]
        knowledge, states = Knowledge(), list[Enriched]()
        for first in range(0, len(activities), 2_000):
            states += enrich(activities[first : first + 2_000], knowledge)
        return cls(states, [word for one in states for word in _WORD.findall(one.text)])

    def copies(self, size: int) -> Iterator[tuple[int, Sequence[Enriched]]]:
        """Yield copies until there are ``size`` activities: number and what happened in it."""
        for copy, done in enumerate(range(0, size, len(self.states))):
            yield copy, self.states[: size - done]


def person(id_: str, copy: int) -> str:
    """Return who somebody is in a copy."""
    return f"{id_}~{copy % PEOPLE}" if id_ else ""


def place(id_: str, copy: int) -> str:
    """Return which place a place is in a copy."""
    return f"{id_}~{copy % PLACES}" if id_ else ""


def thing(id_: str, copy: int) -> str:
    """Return which thing a thing is in a copy."""
    return f"{id_}~{copy}" if id_ else ""


def copied(e: Enriched, copy: int, text: str, title: str, vector: bytes) -> Enriched:
    """Return what happened as it happened in a copy."""
    a = e.activity
    activity = replace(
        a,
        id=thing(a.id, copy),
        published=a.published - copy * _BACK,
        actor=replace(a.actor, id=person(a.actor.id, copy)),
        object=replace(a.object, id=thing(a.object.id, copy), content=text, title=title),
        context=tuple(_context(one, copy) for one in a.context),
        audience=replace(a.audience, container=place(a.audience.container, copy)),
        coauthors=tuple(person(one, copy) for one in a.coauthors),
    )
    return replace(
        e,
        activity=activity,
        person=person(e.person, copy),
        coauthor_people=tuple(person(one, copy) for one in e.coauthor_people),
        mention_people=tuple(person(one, copy) for one in e.mention_people),
        thread=thing(e.thread, copy),
        text=text,
        vector=vector,
    )


def _context(one: Container, copy: int) -> Container:
    return replace(one, id=thing(one.id, copy) if one.type in ("Thread", "Page") else place(one.id, copy))


def documents(world: World, copy: int, states: Sequence[Enriched]) -> list[Write]:
    """Return what the indexer would write for a part of a copy, of each object its last state only."""
    draw = random.Random(f"{copy} {states[0].activity.id}")

    def said(text: str) -> str:
        return _WORD.sub(lambda m: draw.choice(world.words) if draw.random() < _REPLACED else m[0], text)

    texts = [(said(one.text), said(one.activity.object.title)) for one in states] if copy else _as_they_are(states)
    vectors = to_bytes(embed([f"{title}\n{text}" for text, title in texts]))
    found: dict[tuple[str, str], Write] = {}
    for one, (text, title), vector in zip(states, texts, vectors, strict=True):
        for write in writes(copied(one, copy, text, title, vector), withdrawn=False, restricted=False):
            before = found.get((write.kind, write.id))
            if before is None or (before.version or 0) <= (write.version or 0):
                found[write.kind, write.id] = write
    return list(found.values())


def _as_they_are(states: Sequence[Enriched]) -> list[tuple[str, str]]:
    return [(one.text, one.activity.object.title) for one in states]


async def fill(search: Search, world: World, size: int) -> None:
    """Put ``size`` activities and their objects into the index; raises RuntimeError where it takes one not."""
    parts = [
        partial(documents, world, copy, states[first : first + _BATCH])
        for copy, states in world.copies(size)
        for first in range(0, len(states), _BATCH)
    ]
    with Progress() as progress:
        bar = progress.add_task(f"filling the index with {size:,} activities", total=len(parts))
        ahead = asyncio.create_task(asyncio.to_thread(parts[0]))
        for following in [*parts[1:], None]:
            made = await ahead
            if following is not None:  # made while Elasticsearch takes the ones before
                ahead = asyncio.create_task(asyncio.to_thread(following))
            await _put(search, made)
            progress.advance(bar)
    for kind in ("activities", "objects"):
        await _patiently(partial(search.refresh, kind))


async def _put(search: Search, made: Sequence[Write]) -> None:
    halves = (made[::2], made[1::2])
    for outcomes in await asyncio.gather(*(_patiently(partial(search.write, half)) for half in halves)):
        wrong: list[Outcome] = [one for one in outcomes if one.verdict not in (Verdict.DONE, Verdict.STALE)]
        if wrong:
            raise RuntimeError(f"{len(wrong)} documents were not taken, the first since: {wrong[0].reason}")


async def _patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Ask again while Elasticsearch is too busy to answer: to write a document twice changes nothing."""
    for _ in range(_ATTEMPTS):
        try:
            return await ask()
        except Retry:
            await asyncio.sleep(_PAUSE)
    return await ask()


def access(world: World) -> list[Access]:
    """Return who may open each place: two in three are everyone's, the others those people's who act there."""
    places: dict[str, set[str]] = {}
    for one in world.states:
        for copy in range(lcm(PLACES, PEOPLE)) if one.person else ():
            for context in one.activity.context:
                if context.type not in ("Thread", "Page"):
                    places.setdefault(place(context.id, copy), set()).add(person(one.person, copy))
    return [_record(name, sorted(people), n % 3 == 0) for n, (name, people) in enumerate(sorted(places.items()))]


def _record(name: str, people: Sequence[str], restricted: bool) -> Access:
    return Access(
        id=name,
        kind=AccessKind.CONTAINER,
        visibility=Visibility.RESTRICTED if restricted else Visibility.PUBLIC,
        principals=tuple(people[:1_000]) if restricted else (),
    )


def some(world: World, draw: random.Random, size: int) -> tuple[Enriched, int]:
    """Return something that happened, and the number of a copy in which it did."""
    number = draw.randrange(size)
    return world.states[number % len(world.states)], number // len(world.states)
