"""The readers of the benchmarks count right: what is missing, what comes twice, how old it is."""

import asyncio
from collections.abc import Sequence

from bench import live
from bench.readers import Plan, Report, read
from services.common.model import Enriched
from tests.unit.gateway.world import World, world

COUNT = 60


async def run(w: World, **plan: int | float) -> Report:
    await w.put([live.opened(w.bus.prefix)])
    await w.parts.access.caught_up()

    async def publish(many: Sequence[Enriched]) -> None:
        await w.put([live.record(w.bus.prefix, one) for one in many])

    async def published() -> None:
        await live.evenly(publish, first=0, count=COUNT, rate=200)

    assert w.client.port is not None
    return await read(Plan(ports=[w.client.port], paths=live.paths(), events=COUNT, **plan), published)  # type: ignore[arg-type]


async def test_every_filter_lets_everything_through_to_everybody_in_the_place() -> None:
    async with world() as w:
        report = await run(w, readers=50, probes=5)
        assert report.deliveries == 50 * COUNT
        assert 0 < report.p50 <= report.p99 < 5_000


async def test_who_is_cut_comes_back_and_misses_nothing() -> None:
    async with world() as w:
        report = await run(w, careful=8, cuts=40.0)
        assert (report.missing, report.doubled) == (0, 0)
        assert report.came_back > 3


async def test_slow_readers_get_all_in_the_end() -> None:
    async with world() as w:
        report = await run(w, readers=2, careful=4, slow=4)
        assert (report.missing, report.doubled, report.deliveries) == (0, 0, 2 * COUNT)


async def test_what_is_lost_and_doubled_is_seen() -> None:
    async with world() as w:
        hub = w.parts.hub
        flush = hub._flush

        def wrong() -> None:
            hub._pending = hub._pending[1:] + hub._pending[-1:]
            flush()

        hub._flush = wrong  # type: ignore[method-assign]
        plan = asyncio.create_task(run(w, careful=2, patience=3.0))
        report = await plan
        assert report.missing > 0
