"""How long each endpoint of the REST API takes with a large index, of which each asker may open a part.

Requests begin when they are due, whether or not earlier ones were answered (an open loop), and are timed from then:
so what waits because the server is behind has waited. The mix is about that of a day: most look at feeds and things,
some search. Elasticsearch, Kafka, the gateway and the askers share the machine. Beside the rates that are measured by
endpoint stands the highest one that the machine keeps up with.
"""

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.multiplied import World, access, fill, person, place, some, thing
from bench.table import Row
from services.common import topics
from services.common.bus import Outgoing
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.codec import Codec
from services.common.recommendation import Recommendation, recommendation_out
from services.common.records import access_out
from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from tests.fixtures.stack import Stack, environment, eventually

SIZE = 1_000_000
RATES = (20, 200)
SECONDS, SETTLING = 40, 5
"""How long a rate is measured, and asked at before: the first seconds of too many are not like the rest."""
WARM, WARM_RATE = 60, 40
"""A server that has just started compiles; one of an organisation did so long ago."""
LADDER, STEP = (10, 20, 30, 40, 60, 80, 100, 125, 150, 200), 10
"""Rates that are tried one after the other, and for how many seconds each."""
KEEPS_UP = 250.0
"""Milliseconds within which 95 of 100 requests are answered where the machine keeps up."""
PREFIX = "rest"
ASKERS = 20
_RECOMMENDED = 50
_PATIENCE = 30.0
_BAR = "<= 50"
"""Milliseconds within which 95 of 100 searches are answered (design, section 11)."""


@dataclass
class Asking:
    """Draws questions that somebody might have."""

    world: World
    size: int
    askers: Sequence[str]
    draw: random.Random = field(default_factory=lambda: random.Random(7))

    def words(self) -> str:
        """Return one to three words that follow each other in a title."""
        while True:
            given = some(self.world, self.draw, self.size)[0].activity.object.title.split()
            if len(given) > 2:
                first = self.draw.randrange(len(given) - 1)
                return " ".join(given[first : first + self.draw.randint(1, 3)])

    def thing(self) -> str:
        """Return the id of a thing."""
        e, copy = some(self.world, self.draw, self.size)
        return quote(thing(e.activity.object.id, copy), safe="")

    def activity(self) -> str:
        """Return the id of an activity."""
        e, copy = some(self.world, self.draw, self.size)
        return quote(thing(e.activity.id, copy), safe="")

    def person(self) -> str:
        """Return the id of somebody who did something."""
        e, copy = some(self.world, self.draw, self.size)
        return quote(person(e.person, copy) or self.askers[0], safe="")

    def filters(self) -> str:
        """Return what a feed is narrowed down by: mostly nothing, else a place, a person, a verb or a time."""
        e, copy = some(self.world, self.draw, self.size)
        kinds = (
            "",
            "",
            urlencode({"container": place(e.activity.context[0].id, copy)}),
            urlencode({"person": person(e.person, copy)}) if e.person else "",
            urlencode({"verb": e.activity.verb, "since": e.activity.published.date().isoformat()}),
        )
        return self.draw.choice(kinds)


Ask = Callable[[Asking], str]
MIX: Mapping[str, tuple[int, Ask]] = {
    "GET /v1/activities": (20, lambda a: f"/v1/activities?{a.filters()}"),
    "GET /v1/activities/{id}": (6, lambda a: f"/v1/activities/{a.activity()}"),
    "GET /v1/objects/{id}": (12, lambda a: f"/v1/objects/{a.thing()}"),
    "GET /v1/search": (10, lambda a: f"/v1/search?{urlencode({'q': a.words()})}"),
    "GET /v1/search?mode=lexical": (4, lambda a: f"/v1/search?{urlencode({'q': a.words(), 'mode': 'lexical'})}"),
    "GET /v1/people": (3, lambda a: f"/v1/people?{urlencode({'q': a.words()})}"),
    "GET /v1/people/{id}": (6, lambda a: f"/v1/people/{a.person()}"),
    "GET /v1/me": (6, lambda _: "/v1/me"),
    "GET /v1/me/for-you": (8, lambda a: f"/v1/me/for-you?surprise={a.draw.random():.2f}"),
    "GET /v1/me/following": (12, lambda _: "/v1/me/following"),
    "GET /v1/me/follows": (2, lambda _: "/v1/me/follows"),
    "GET /v1/me/searches": (1, lambda _: "/v1/me/searches"),
    "GET /v1/me/rules": (1, lambda _: "/v1/me/rules"),
    "GET /v1/me/notifications": (4, lambda _: "/v1/me/notifications"),
    "GET /v1/me/mentions": (4, lambda _: "/v1/me/mentions"),
    "GET /v1/me/people": (2, lambda _: "/v1/me/people"),
    "GET /v1/me/streams": (1, lambda _: "/v1/me/streams"),
    "GET /v1/me/tokens": (1, lambda _: "/v1/me/tokens"),
    "GET /v1/groups": (1, lambda _: "/v1/groups"),
    "GET /v1/trends": (2, lambda _: "/v1/trends"),
    "GET /v1/feed.atom": (3, lambda a: f"/v1/feed.atom?{a.filters()}"),
    "GET /v1/feed.json": (2, lambda a: f"/v1/feed.json?{a.filters()}"),
    "POST /v1/feedback": (4, lambda _: "/v1/feedback"),
}
"""Of how many in about a hundred, and how each is asked."""


async def measure(kafka: str, elastic: str, size: int = SIZE, rates: Sequence[int] = RATES) -> list[Row]:
    """Fill the index, unless it is filled already, and ask."""
    return await asyncio.to_thread(uvloop.run, _measured(kafka, elastic, size, rates))


async def _measured(kafka: str, elastic: str, size: int, rates: Sequence[int]) -> list[Row]:
    world = await asyncio.to_thread(World.load)
    await filled(elastic, world, size)
    async with serving(kafka, elastic) as stack:
        askers = _askers(world)
        await _prepared(stack, world, size, askers)
        asking = Asking(world, size, askers)
        rows: list[Row] = []
        await run(stack.url(), asking, rate=WARM_RATE, seconds=WARM)
        for rate in rates:
            await run(stack.url(), asking, rate=rate, seconds=SETTLING)
            times = await run(stack.url(), asking, rate=rate, seconds=SECONDS)
            rows += [_row(name, times[name], size, rate) for name in MIX if times.get(name)]
        return [*rows, await _kept_up(stack.url(), asking, size)]


def _row(name: str, times: Sequence[float], size: int, rate: int) -> Row:
    """Return the row of an endpoint. An answer that did not come, or an error, counts as ``_PATIENCE`` seconds."""
    answered = [one for one in times if one < _PATIENCE * 1_000]
    refused = 1 - len(answered) / len(times)
    others = f", the others p95 {_at(answered, 0.95):.0f} ms" if answered else ""
    said = f"; {refused:.0%} refused{others}" if refused else ""
    beside = f"p50 {_at(times, 0.5):.0f} ms, p99 {_at(times, 0.99):.0f} ms; {len(times):,} requests{said}"
    title = f"REST at {size:,} activities, {rate}/s: {name}, p95"
    return Row(title, _at(times, 0.95), "ms", beside, bar=_BAR if "/v1/search" in name else "")


def _at(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


async def _kept_up(url: str, asking: Asking, size: int) -> Row:
    """Return the highest of ``LADDER``'s rates up to which 95 of 100 requests are answered within ``KEEPS_UP``."""
    highest, beside = 0, ""
    for rate in LADDER:
        by_endpoint = await run(url, asking, rate=rate, seconds=STEP)
        times = [one for name in by_endpoint for one in by_endpoint[name]]
        if _at(times, 0.95) > KEEPS_UP:
            beside = f"at {rate}/s p95 {_at(times, 0.95):.0f} ms"
            break
        highest = rate
    title = f"REST at {size:,} activities: requests answered, 95 of 100 within {KEEPS_UP:.0f} ms"
    return Row(title, highest, "requests/s", beside)


async def filled(elastic: str, world: World, size: int) -> None:
    """Fill the index, unless it holds so many already; raises RuntimeError where it holds others."""
    search = ElasticSearch(Client(elastic), f"{PREFIX}-", refresh="30s")
    try:
        await search.prepare()
        there = await search.count("activities")
        if there != size:
            if there:
                raise RuntimeError(f"the index holds {there:,} activities, not {size:,}; give another --folder")
            await fill(search, world, size)
            if (there := await search.count("activities")) != size:
                raise RuntimeError(f"{there:,} of {size:,} activities are in the index")
    finally:
        await search.stop()


@asynccontextmanager
async def serving(kafka: str, elastic: str) -> AsyncIterator[Stack]:
    """Run the gateway over that index, and the indexer for who may open what. The index stays."""
    with tempfile.TemporaryDirectory(prefix="watercooler-bench-") as name:
        environ, ports = environment(kafka, elastic, Path(name))
        environ |= {
            "WATERCOOLER_TOPIC_PREFIX": f"{PREFIX}.",
            "WATERCOOLER_INDEX_PREFIX": f"{PREFIX}-",
            "WATERCOOLER_GATEWAY_REQUESTS_PER_MINUTE": "10000000",
        }
        stack = Stack(Path(name), environ, ports)
        await asyncio.to_thread(stack.run, "topics", "apply")
        try:
            stack.start("index", "gateway")
            await stack.ready()
            yield stack
        finally:
            await asyncio.to_thread(stack.stop)


def _askers(world: World) -> list[str]:
    """Return people who did something, of several copies."""
    draw = random.Random(1)
    people = sorted({one.person for one in world.states if one.person and not one.automated})
    return [person(draw.choice(people), draw.randrange(25)) for _ in range(ASKERS)]


async def _prepared(stack: Stack, world: World, size: int, askers: Sequence[str]) -> None:
    """Open and close places; give each asker recommendations, and things that they follow."""
    bus = KafkaBus(
        KafkaSettings(bootstrap=stack.environ["WATERCOOLER_KAFKA"], partitions=4, replication=1), stack.prefix
    )
    publisher = await bus.publisher()
    try:
        codec = Codec("access")
        records = [(one.id, codec.encode(access_out(one))) for one in access(world)]
        await publisher.publish(
            Outgoing(topic=topics.ACCESS.name(bus.prefix), key=key, value=value) for key, value in records
        )
        await publisher.publish(list(_recommended(bus.prefix, world, size, askers)))
    finally:
        await publisher.stop()
    async with ClientSession(stack.url()) as http:
        for asker in askers:
            await _settled(http, Asking(world, size, askers, random.Random(asker)), asker)

        async def open_() -> bool:
            async with http.get("/v1/activities", params={"as": askers[0]}) as answer:
                return answer.status == 200 and bool((await answer.json(content_type=None))["totalItems"])

        await eventually(open_, what="places are open", stack=stack)


def _recommended(prefix: str, world: World, size: int, askers: Sequence[str]) -> list[Outgoing]:
    draw, codec = random.Random(3), Codec("recommendation")
    found = []
    for asker in askers:
        for _ in range(_RECOMMENDED):
            e, copy = some(world, draw, size)
            one = Recommendation(
                person=asker,
                object=thing(e.activity.object.id, copy),
                score=draw.random(),
                terms={"words": draw.random(), "places": draw.random()},
                reason="It is close to what you did.",
                plain="It is close to what you did.",
                container=place(e.activity.audience.container or e.activity.context[0].id, copy),
                surprise=draw.random(),
                model="bench",
                published=e.activity.published,
            )
            value = codec.encode(recommendation_out(one, e.activity.published))
            topic = topics.RECOMMENDATION.name(prefix)
            found.append(Outgoing(topic=topic, key=one.key, value=value, place=asker))
    return found


async def _settled(http: ClientSession, asking: Asking, asker: str) -> None:
    """Let somebody follow twenty people and places, keep a search and a rule."""
    who = {"X-Watercooler-As": asker}
    follow = [{"subject": asking.person(), "kind": "follow"} for _ in range(15)]
    e, _ = some(asking.world, asking.draw, asking.size)
    follow += [{"subject": place(e.activity.context[0].id, n), "kind": "follow"} for n in range(5)]
    rule = {"rule": f"if says {asking.words().split()[0].strip('.:,')!s} then notify", "on": True}
    async with http.post("/v1/feedback", json=follow, headers=who) as answer:
        answer.raise_for_status()
    async with http.put(
        "/v1/me/searches/mine", json={"query": urlencode({"q": asking.words()})}, headers=who
    ) as answer:
        answer.raise_for_status()
    async with http.put("/v1/me/rules/mine", json=rule, headers=who) as answer:
        await answer.read()  # a word may be one that the rules have a meaning for: then there is none


async def run(url: str, asking: Asking, *, rate: float, seconds: float) -> dict[str, list[float]]:
    """Ask at an even rate; return by endpoint how long each took from when it was due, in ms, errors ``_PATIENCE``."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    names, weights = list(MIX), [weight for weight, _ in MIX.values()]
    async with ClientSession(
        url, timeout=ClientTimeout(total=_PATIENCE), connector=TCPConnector(limit=0), raise_for_status=False
    ) as http:

        async def one(name: str, path: str, who: str, due: float) -> None:
            method = name.split()[0]
            body = {"subject": "bench", "kind": "seen"} if method == "POST" else None
            try:
                async with http.request(method, path, json=body, headers={"X-Watercooler-As": who}) as answer:
                    await answer.read()
                    good = answer.status < 400 or (answer.status == 404 and "{id}" in name)
            except (OSError, TimeoutError):
                good = False
            times[name].append((time.perf_counter() - due) * 1_000 if good else _PATIENCE * 1_000)

        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = start + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                (name,) = asking.draw.choices(names, weights)
                who = asking.draw.choice(asking.askers)
                group.create_task(one(name, MIX[name][1](asking), who, due))
    return times
