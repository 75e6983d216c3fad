"""Live readers in bad company: 8,000 idle ones, readers that are cut all the time over two processes, slow readers."""

import asyncio
from collections.abc import Sequence
from statistics import median

from bench import live
from bench.readers import Plan, Report
from bench.table import Row
from bench.whole import resident, whole
from services.common.bus import Publisher
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.model import Enriched
from tests.fixtures.stack import Stack

IDLE = 8_000
CHURNED, CUTS, CHURN_RATE, CHURN_SECONDS = 200, 20.0, 50, 20
READERS, SLOW, RATE, SECONDS, ROUNDS = 500, 100, 100, 15, 3
_PROBES = 25
_CAP_MB = 1.0
"""What may wait for one reader in the gateway (stream/connection.py)."""


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Measure all three."""
    async with whole(kafka, elastic, "index", "gateway", **live.LIMITS) as stack:
        stack.start("gateway", name="second")
        await stack.ready("second")
        bus = KafkaBus(KafkaSettings(bootstrap=kafka, partitions=4, replication=1), stack.prefix)
        publisher = await bus.publisher()
        try:
            await publisher.publish([live.opened(bus.prefix)])
            return [
                *await _idle(stack),
                *await _churn(stack, publisher),
                *await _slow(stack, publisher),
            ]
        finally:
            await publisher.stop()


async def _idle(stack: Stack) -> list[Row]:
    pid = stack.processes["second"].pid
    before = resident(pid)
    async with live.reading(Plan(ports=[stack.ports["second"]], paths=live.paths(), readers=IDLE)):
        await asyncio.sleep(20)  # a heartbeat has gone to each
        held = resident(pid)
    named = f"live, {IDLE:,} idle readers:"
    return [
        Row(f"{named} memory of the process", held, "MB", f"{before:.0f} MB before", bar="<= 200"),
        Row(f"{named} memory a connection", (held - before) * 1024 / IDLE, "KB", bar="<= 15"),
    ]


async def _churn(stack: Stack, publisher: Publisher) -> list[Row]:
    count = CHURN_RATE * CHURN_SECONDS
    ports = [stack.ports["gateway"], stack.ports["second"]]
    plan = Plan(ports=ports, paths=live.paths(), careful=CHURNED, cuts=CUTS, events=count)
    async with live.reading(plan) as readers:
        restarting = asyncio.create_task(_restart(stack, after=CHURN_SECONDS / 3))
        await live.evenly(_publish(stack, publisher), first=0, count=count, rate=CHURN_RATE)
        await restarting
        report = await readers.report()
    named = f"live, {CHURNED} readers cut {CUTS:.0f} times a second, one of two processes restarted:"
    return [
        Row(f"{named} lost", report.missing, "events", f"{CHURNED * count:,} deliveries", bar="<= 0"),
        Row(f"{named} doubled", report.doubled, "events", f"{report.came_back:,} times come back", bar="<= 0"),
    ]


async def _restart(stack: Stack, *, after: float) -> None:
    await asyncio.sleep(after)
    await asyncio.to_thread(stack.end, "gateway")
    stack.start("gateway")
    await stack.ready("gateway")


async def _slow(stack: Stack, publisher: Publisher) -> list[Row]:
    """Measure as many readers in turn: all of them keep up, then a fifth does not.

    One hiccup of the machine makes the p99 of fifteen seconds, so it is the median of ``ROUNDS``.
    """
    first, count = CHURN_RATE * CHURN_SECONDS, RATE * SECONDS
    alone, others, grown, lost = list[float](), list[float](), 0.0, 0
    for _ in range(ROUNDS):
        report, *_rest = await _with_slow(stack, publisher, first, 0)
        alone.append(report.p99)
        report, slow, more = await _with_slow(stack, publisher, first + count, SLOW)
        others.append(report.p99)
        grown, lost = max(grown, more), lost + slow.missing + slow.doubled
        first += 2 * count
    p99, beside = median(others), median(alone)
    named = f"live, {SLOW} slow readers among {READERS}:"
    return [
        Row(f"{named} p99 of the others", p99, "ms", f"all keep up: {beside:.0f} ms", p99 / beside, "ratio <= 2"),
        Row(f"{named} memory that they take", grown, "MB", bar=f"<= {SLOW * _CAP_MB:.0f}"),
        Row(f"{named} lost and doubled by the slow", lost, "events", bar="<= 0"),
    ]


async def _with_slow(stack: Stack, publisher: Publisher, first: int, slow: int) -> tuple[Report, Report, float]:
    """Return what the others saw, what the slow saw, and by how much the process had grown at its largest (MB).

    The slow are a process of their own, since they parse, which would hold up those who look at how old an event is.
    """
    pid = stack.processes["second"].pid
    count = RATE * SECONDS
    ports, paths = [stack.ports["second"]], live.paths()
    others = Plan(ports=ports, paths=paths, readers=READERS - slow, probes=_PROBES, first=first, events=count)
    behind = Plan(ports=ports, paths=paths, careful=slow, slow=slow, first=first, events=count)
    async with live.reading(others) as readers, live.reading(behind) as slow_readers:
        before = most = resident(pid)
        publishing = asyncio.create_task(live.evenly(_publish(stack, publisher), first=first, count=count, rate=RATE))
        while not publishing.done():
            most = max(most, resident(pid))
            await asyncio.sleep(0.5)
        await publishing
        return await readers.report(), await slow_readers.report(), most - before


def _publish(stack: Stack, publisher: Publisher) -> live.Publish:
    async def publish(many: Sequence[Enriched]) -> None:
        await publisher.publish([live.record(stack.prefix, one) for one in many])

    return publish
