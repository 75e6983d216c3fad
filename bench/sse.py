"""Live readers beside nchan: what a delivery costs in CPU, whether all arrive, and how old it is then.

Beside kafka-sse too, the peer that reads Kafka as well, with as many readers as it can serve.

Readers are fifty people with ten combinations of filters, in a place that is open to them only: all is looked at for
each event. nchan looks at nothing; its events come by HTTP and not through Kafka.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from aiohttp import ClientSession
from aiokafka import AIOKafkaProducer

from bench import kafka_sse, live
from bench import nchan as peer
from bench.readers import Plan, Report
from bench.table import Row
from bench.whole import busy, whole
from services.common.bus import Publisher
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.model import Enriched
from tests.fixtures.stack import Stack

RATE = 100
SECONDS = 12
BARS = {500: "<= 5", 2000: "<= 2"}
FEW = 100
"""Readers beside kafka-sse, which has a consumer and four threads for each."""
SETTLED = 15.0
_PROBES = 25
_FOLLOWING = "ratio <= 1.5"


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Give 100 events a second to 500 and to 2,000 readers, through the gateway and through nchan."""
    rows: list[Row] = []
    async with whole(kafka, elastic, "index", "gateway", **live.LIMITS) as stack:
        bus = KafkaBus(KafkaSettings(bootstrap=kafka, partitions=4, replication=1), stack.prefix)
        publisher = await bus.publisher()
        try:
            await publisher.publish([live.opened(bus.prefix)])
            for run, (readers, bar) in enumerate(BARS.items()):
                ours = await _ours(stack, publisher, readers, run * RATE * SECONDS)
                theirs = await _nchan(readers, run * RATE * SECONDS) if peer.there() else None
                rows += _rows(readers, bar, ours, theirs)
            if where := kafka_sse.folder():
                rows.append(await _beside_kafka_sse(stack, publisher, where, len(BARS) * RATE * SECONDS))
        finally:
            await publisher.stop()
    return rows


Run = tuple[Report, float]
"""What was seen, and the CPU of a delivery in µs."""


async def _ours(stack: Stack, publisher: Publisher, readers: int, first: int) -> Run:
    async def publish(many: Sequence[Enriched]) -> None:
        await publisher.publish([live.record(stack.prefix, one) for one in many])

    plan = _plan(readers, stack.ports["gateway"], live.paths(), first)
    return await _run(plan, publish, stack.processes["gateway"].pid)


async def _nchan(readers: int, first: int) -> Run:
    async with peer.nchan() as (port, pid), ClientSession() as session:

        async def publish(many: Sequence[Enriched]) -> None:
            await peer.publish(session, port, [live.text(one) for one in many])

        return await _run(_plan(readers, port, ["/sub"], first), publish, pid)


async def _beside_kafka_sse(stack: Stack, publisher: Publisher, where: Path, first: int) -> Row:
    _, ours = await _ours(stack, publisher, FEW, first)
    report, theirs = await _kafka_sse(stack, where, first)
    named = f"live, {FEW} readers x {RATE}/s: CPU a delivery"
    beside = f"kafka-sse: {theirs:.1f} µs ({report.deliveries / (FEW * RATE * SECONDS):.0%} delivered)"
    return Row(named, ours, "µs", beside, ours / theirs, "ratio <= 0.1")


async def _kafka_sse(stack: Stack, where: Path, first: int) -> Run:
    broker = stack.environ["WATERCOOLER_KAFKA"]
    async with (
        kafka_sse.kafka_sse(where, broker) as (port, pid),
        AIOKafkaProducer(bootstrap_servers=broker) as producer,
    ):

        async def publish(many: Sequence[Enriched]) -> None:
            await kafka_sse.publish(producer, [live.text(one) for one in many])

        plan = Plan(ports=[port], paths=["/"], readers=FEW, first=first, events=RATE * SECONDS)
        return await _run(plan, publish, pid, settled=SETTLED)


def _plan(readers: int, port: int, paths: list[str], first: int) -> Plan:
    return Plan(ports=[port], paths=paths, readers=readers, probes=_PROBES, first=first, events=RATE * SECONDS)


async def _run(plan: Plan, publish: live.Publish, pid: int, *, settled: float = 0.0) -> Run:
    async with live.reading(plan) as readers:
        await asyncio.sleep(settled)  # it says that one is connected before its consumer has its place
        spent = busy(pid)
        await live.evenly(publish, first=plan.first, count=plan.events, rate=RATE)
        report = await readers.report()
        return report, (busy(pid) - spent) * 1e6 / max(1, report.deliveries)


def _rows(readers: int, bar: str, ours: Run, theirs: Run | None) -> list[Row]:
    named = f"live, {readers:,} readers x {RATE}/s:"
    report, micros = ours
    whole = readers * RATE * SECONDS
    if theirs is None:
        beside: list[dict[str, object]] = [{"peer": "nchan is not installed"}] * 2
    else:
        cost, age = theirs[1], theirs[0].p99
        beside = [
            {"peer": f"nchan: {cost:.1f} µs", "ratio": micros / cost},
            {"peer": f"nchan: {age:.0f} ms ({theirs[0].deliveries / whole:.0%} delivered)", "ratio": report.p99 / age},
        ]
    return [
        Row(f"{named} CPU a delivery", micros, "µs", bar=bar, **beside[0]),  # type: ignore[arg-type]
        Row(f"{named} delivered", report.deliveries / whole, "", "of all", bar=">= 1; <= 1"),
        Row(f"{named} p50", report.p50, "ms"),
        Row(f"{named} p99", report.p99, "ms", bar=_FOLLOWING if theirs else "", **beside[1]),  # type: ignore[arg-type]
    ]
