"""A worker reads its source by every way, moves cursors behind what is stored, and outlives what its source does."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from io import StringIO

import pytest
import structlog

from services.common import logs
from services.common.bus import Outgoing, Unpublished
from services.common.errors import Reject, Retry, Stop
from services.common.model import Method
from services.common.topics import ACCESS, ACCOUNT, ACTIVITY, CURSOR
from services.ingest.worker import LIVE, Pace, Worker
from tests.unit.ingest.fakes import ROOM, FakeSource, Ground, batches, ground

QUICK = Pace(first_pause=0.001, longest_pause=0.002)


@pytest.fixture(autouse=True)
def _brief_logs() -> Iterator[None]:
    """As in a service; unconfigured, each traceback would be drawn at length."""
    logs.configure("ingest", stream=StringIO())
    yield
    structlog.reset_defaults()


async def until(check: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while True:
            found = check()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0)


async def reads(source: FakeSource, base: Ground, enough: Callable[[], Awaitable[bool]], pace: Pace = QUICK) -> Worker:
    """Run a worker until there is enough."""
    worker = Worker("fake", source.open, base.intake, base.cursors, pace)
    running = asyncio.create_task(worker.run())
    try:
        await until(enough)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return worker


def stored(base: Ground, count: int) -> Callable[[], Awaitable[bool]]:
    """Return a check: that many distinct activities are stored, and both cursors stand behind them."""

    async def check() -> bool:
        keys = {one.key for one in await base.log.records(ACTIVITY)}
        return len(keys) == count and base.cursors.get("fake", ROOM.id).complete

    return check


async def test_past_and_news_overlap_and_say_the_same() -> None:
    base = await ground()
    source = FakeSource(batches(range(10), Method.BACKFILL), batches(range(6, 14), Method.POLL))
    await reads(source, base, stored(base, 14))
    records = await base.log.records(ACTIVITY)
    assert Counter(one.key for one in records).most_common(1)[0][1] == 2
    prints = {(one.key, one.headers["fingerprint"]) for one in records}
    assert len(prints) == 14, "what came twice said the same"


async def test_access_and_accounts_come_before_activities() -> None:
    base = await ground()
    await reads(FakeSource(batches(range(4), Method.BACKFILL)), base, stored(base, 4))
    order = [one.topic.removeprefix("t.") for one in base.publisher.order]
    assert order[:3] == [ACCESS.suffix, ACCOUNT.suffix, ACTIVITY.suffix]


async def test_a_cursor_never_stands_before_what_is_not_stored() -> None:
    base = await ground()
    lost = [Retry("Kafka is away")] * 3

    def failure(records: list[Outgoing]) -> Exception | None:
        is_third = any("note/2@" in one.key for one in records)
        return Unpublished([(records[0], lost.pop())]) if is_third and lost else None

    base.publisher.failure = failure  # type: ignore[assignment]
    await reads(FakeSource(batches(range(8), Method.BACKFILL, size=1)), base, stored(base, 8))
    assert lost == []
    seen: set[str] = set()
    for one in base.publisher.order:
        if one.topic.endswith(ACTIVITY.suffix):
            seen.add(one.key)
        elif one.topic.endswith(CURSOR.suffix) and one.key == f"fake {ROOM.id}":
            position = base.cursors._codec.decode(one.value or b"")["position"]
            assert len(seen) >= int(position)


async def test_a_restart_goes_on_where_it_was() -> None:
    first = await ground()
    source = FakeSource(batches(range(4), Method.BACKFILL), batches(range(4, 8), Method.POLL))
    await reads(source, first, stored(first, 8))
    await until(lambda: first.cursors.get("fake", LIVE).position == "2")
    again = await ground(first.bus)
    later = FakeSource(source.past, [*source.news, *batches([8], Method.POLL)])
    await reads(later, again, stored(again, 9))
    assert ("live", "2") in later.asked
    assert "backfill" not in [way for way, _ in later.asked], "it was complete"
    assert len(await again.log.records(ACTIVITY)) == 9


@pytest.mark.parametrize("way", ["open", "discover", "backfill", "backfill more", "live"])
@pytest.mark.parametrize("error", [Retry("busy", after=0.001), Retry("busy"), Reject("odd"), KeyError("a mistake")])
async def test_whatever_fails_is_tried_again(way: str, error: Exception) -> None:
    base = await ground()
    source = FakeSource(batches(range(4), Method.BACKFILL), batches(range(4, 6), Method.POLL))
    source.trouble[way] = [error, error]
    worker = await reads(source, base, stored(base, 6))
    assert source.trouble[way] == []
    assert (worker.problem, worker.stopped) == ("", False)


async def test_a_stop_ends_this_source_and_says_why() -> None:
    base = await ground()
    source = FakeSource()
    source.trouble["live"] = [Stop("the token was revoked; set another")]
    worker = Worker("fake", source.open, base.intake, base.cursors, QUICK)
    await asyncio.wait_for(worker.run(), 5)
    assert (worker.problem, worker.stopped) == ("the token was revoked; set another", True)
    assert worker.connector is None


async def test_the_source_is_closed_between_two_openings_only() -> None:
    base = await ground()
    source = FakeSource(batches(range(2), Method.BACKFILL))
    source.trouble["backfill"] = [Retry("busy")] * 3
    await reads(source, base, stored(base, 2))
    assert source.opened == 1, "what is busy for a moment keeps its session"


async def test_a_late_reply_and_a_deletion_found_by_looking_back_arrive() -> None:
    base = await ground()
    source = FakeSource(batches(range(2), Method.BACKFILL))
    source.back = batches([5, 1], Method.RECONCILE)
    await reads(source, base, stored(base, 3), Pace(reconcile=0.001, first_pause=0.001))
    assert "fake:note/5@1#chat.message" in {one.key for one in await base.log.records(ACTIVITY)}
