"""Freshness at 500 activities a second: from a source's webhook to a live reader, and to being found by search."""

import asyncio
import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from elasticsearch import AsyncElasticsearch

from bench.table import Row
from bench.whole import busy, processes, whole
from services.standalone.demo import read
from tests.fixtures.sse import blocks
from tests.fixtures.stack import Stack

RATE = 500
SECONDS = 30
WARM_UP = 5
TICK = 0.02
LOOK = 0.2
SAMPLE = 10
"""One in so many is looked for in the index, so that looking costs little beside what is measured."""
PATIENCE = 60.0
SECRET = "a secret of the benchmark, long enough"
SOURCE = {"name": "load", "kind": "webhook", "signature": "github", "secret": SECRET}


@dataclass
class Times:
    """When each activity was handed over, and when it was seen where, in seconds of one clock."""

    sent: dict[str, float] = field(default_factory=dict)
    streamed: dict[str, float] = field(default_factory=dict)
    found: dict[str, float] = field(default_factory=dict)

    def delays(self, seen: dict[str, float], since: float) -> list[float]:
        """Return in milliseconds how long each took that was handed over after ``since``."""
        return [(at - self.sent[one]) * 1000 for one, at in seen.items() if one in self.sent and self.sent[one] > since]


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Deliver real texts for half a minute to a whole stack with one live reader; returns p50 and p99 of both ways."""
    times = Times()
    async with whole(kafka, elastic, WATERCOOLER_SOURCES=json.dumps([SOURCE])) as stack:
        start = time.perf_counter()
        looking = [asyncio.create_task(reading(stack, times)), asyncio.create_task(searching(stack, times))]
        await asyncio.sleep(1)
        before = {name: busy(pid) for name, pid in processes(stack).items()}
        await delivering(stack, times)
        for _ in range(round(PATIENCE / LOOK)):
            if len(times.streamed) == len(times.sent) and len(times.found) == len(list(times.sent)[::SAMPLE]):
                break
            await asyncio.sleep(LOOK)
        used = {name: busy(pid) - before[name] for name, pid in processes(stack).items()}
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
    costs = [Row(f"CPU an activity: {name}", 1e6 * seconds / len(times.sent), "µs") for name, seconds in used.items()]
    return [*rows(times, start + 1 + WARM_UP), *costs]


def rows(times: Times, since: float) -> list[Row]:
    """Return the figures, and whether everything arrived."""
    spent = max(times.sent.values()) - min(times.sent.values())
    rate = f"at {len(times.sent) / spent:.0f}/s"
    found = []
    asked = len(list(times.sent)[::SAMPLE])
    ways = (("live reader", times.streamed, "<= 500", len(times.sent)), ("search", times.found, "", asked))
    for where, seen, bar, wanted in ways:
        delays = times.delays(seen, since)
        found += [
            Row(f"source to {where}, p50", percentile(delays, 50), "ms", rate),
            Row(f"source to {where}, p99", percentile(delays, 99), "ms", rate, bar=bar),
            Row(f"source to {where}, arrived", len(seen), "", f"{wanted} sent", len(seen) / wanted, "ratio >= 1"),
        ]
    return found


def percentile(values: Sequence[float], which: int) -> float:
    """Return a percentile (1 to 99)."""
    return statistics.quantiles(values, n=100)[which - 1]


async def delivering(stack: Stack, times: Times) -> None:
    """Deliver at an even rate, whatever the answers take: ten activities every 20 ms (a source may deliver 100/s)."""
    url = f"{stack.url('ingest')}/hooks/{SOURCE['name']}"
    count = round(RATE * TICK)
    start = time.perf_counter()
    async with ClientSession(connector=TCPConnector(limit=64)) as session, asyncio.TaskGroup() as group:
        for tick in range(round((WARM_UP + SECONDS) / TICK)):
            await asyncio.sleep(max(0.0, start + tick * TICK - time.perf_counter()))
            group.create_task(deliver(session, url, range(tick * count, (tick + 1) * count), times))


async def deliver(session: ClientSession, url: str, numbers: range, times: Times) -> None:
    """Hand over some activities, signed; RuntimeError when they are not taken."""
    some = [renewed(number) for number in numbers]
    body = json.dumps(some).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    times.sent.update(dict.fromkeys((one["id"] for one in some), time.perf_counter()))
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    async with session.post(url, data=body, headers=headers) as answer:
        if answer.status >= 300:
            raise RuntimeError(f"{url} answered {answer.status}: {(await answer.text())[:300]}")


def renewed(number: int) -> dict[str, Any]:
    """Return a real activity of the demonstration data as if it happened now, as one of its own."""
    one = json.loads(_real()[number % len(_real())])
    one["object"]["id"] = f"load:object:{number}"
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {**one, "id": f"load:{number}", "published": now, "provenance": {"source": "load", "method": "WEBHOOK"}}


@cache
def _real() -> list[bytes]:
    return read()


async def reading(stack: Stack, times: Times) -> None:
    """Note what a live reader sees."""
    url = f"{stack.url()}/v1/stream"
    async with ClientSession(timeout=ClientTimeout(total=None)) as session, session.get(url) as answer:
        answer.raise_for_status()
        async for event in blocks(answer.content):
            if event.data:
                times.streamed.setdefault(json.loads(event.data)["id"], time.perf_counter())


async def searching(stack: Stack, times: Times) -> None:
    """Note what search would find: look for all that is still out, again and again."""
    index = f"{stack.environ['WATERCOOLER_INDEX_PREFIX']}activities"
    async with AsyncElasticsearch(stack.environ["WATERCOOLER_ELASTICSEARCH"]) as client:
        while True:
            await asyncio.sleep(LOOK)
            out = [one for one in list(times.sent)[::SAMPLE] if one not in times.found][:1000]
            answer = await client.search(index=index, query={"ids": {"values": out}}, source=False, size=len(out))
            now = time.perf_counter()
            times.found.update((hit["_id"], now) for hit in answer["hits"]["hits"])
