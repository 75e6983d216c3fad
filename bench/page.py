"""The web page in Chromium on loopback: when it first paints anything, and when it is live.

Each load is in a context of its own, so nothing is cached. Beside it stands an empty page in the same browser, which
comes from no server at all.
"""

import asyncio
import statistics
from collections.abc import Sequence

from playwright.async_api import Browser, Route

from bench.table import Row
from bench.whole import indexed, whole
from services.standalone.demo import read
from tests.fixtures.browser import browser
from tests.fixtures.stack import Stack, eventually

ACTIVITIES = 3_000
LOADS = 15
PAGES = {"live feed": "/", "search": "/search?q=error", "people": "/people?q=error", "topic": "/topics/error"}
EMPTY = "http://empty.invalid/"
_PAINT = """() => new Promise((seen) => new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName("first-contentful-paint")) seen(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""
_WATCH = """window.live = new Promise((seen) => addEventListener("DOMContentLoaded", () => {
  const state = document.getElementById("state");
  const look = () => { if (state?.dataset.state === "live") seen(performance.now()); };
  if (state) new MutationObserver(look).observe(state, { attributes: true });
}))"""


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Load each page some times over a year's real activities; returns medians and the slowest."""
    async with whole(kafka, elastic, "enrich", "index", "gateway") as stack, browser() as started:
        await fill(stack)
        floor = statistics.median([await paint(started, EMPTY) for _ in range(LOADS)])
        beside = f"an empty page in the same browser: {floor:.0f} ms"
        rows: list[Row] = []
        for name, path in PAGES.items():
            await paint(started, stack.url() + path)  # the first one compiles templates and opens connections
            times = [await paint(started, stack.url() + path) for _ in range(LOADS)]
            rows += rows_of(f"{name}: first contentful paint", times, beside, floor)
        return [*rows, *rows_of("live feed: live", [await live(started, stack.url()) for _ in range(LOADS)])]


async def fill(stack: Stack) -> None:
    """Import real activities and wait until the index has them."""
    lines = (await asyncio.to_thread(read))[:ACTIVITIES]
    file = stack.folder / "activities.jsonl"
    await asyncio.to_thread(file.write_bytes, b"".join(lines))
    await asyncio.to_thread(stack.run, "import", str(file))

    async def there() -> bool:
        return await indexed(stack) >= ACTIVITIES

    await eventually(there, what="everything is in the index", stack=stack)


async def paint(started: Browser, url: str) -> float:
    """Return after how many ms from the beginning of navigation a page first paints anything."""
    page = await started.new_page()
    try:
        await page.route(f"{EMPTY}**", _empty)
        await page.goto(url)
        return float(await page.evaluate(_PAINT))
    finally:
        await page.close()


async def _empty(route: Route) -> None:
    await route.fulfill(body="<!doctype html><title>empty</title><p>empty", content_type="text/html")


async def live(started: Browser, url: str) -> float:
    """Return after how many ms the live feed's stream has answered and the page says so."""
    page = await started.new_page()
    try:
        await page.add_init_script(_WATCH)
        await page.goto(url)
        return float(await page.evaluate("window.live"))
    finally:
        await page.close()


def rows_of(what: str, times: Sequence[float], beside: str = "", floor: float | None = None) -> list[Row]:
    """Return the median and the slowest of some loads, the median beside a floor where one is given."""
    middle = statistics.median(times)
    return [
        Row(f"page, {what}, p50", middle, "ms", beside, middle / floor if floor else None),
        Row(f"page, {what}, slowest of {len(times)}", max(times), "ms"),
    ]
