"""The live page while the gateway behind it goes away and comes back: every item appears, and appears once."""

from collections import Counter

import pytest
from playwright.async_api import Page, Route

from tests.fixtures.browser import browsing
from tests.fixtures.process import free_port
from tests.fixtures.stack import eventually
from tests.integration.gateway.conftest import Servers
from tests.unit.gateway.world import HALL, said, world

pytestmark = pytest.mark.integration
_SHOWN = "[...document.querySelectorAll('#feed > li')].map((one) => one.dataset.id)"
_LIVE = '#state[data-state="live"]'
_LOST = '#state[data-state="lost"]'


async def test_every_item_appears_once_over_restarts_of_the_gateway(servers: Servers) -> None:
    port = free_port()
    async with world(servers.bus, servers.search, port=port) as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(3)))
        url = w.url
    async with browsing(url) as (tab, _):
        for start in (3, 23, 43):
            async with world(servers.bus, servers.search, port=port) as w:
                if start == 3:
                    await tab.goto("/?as=ann")
                await tab.locator(_LIVE).wait_for()
                await w.happens(*(said(n) for n in range(start, start + 10)), index=False)
                await _until(tab, start + 10)
            await tab.locator(_LOST).wait_for()
            async with world(servers.bus, servers.search) as elsewhere:  # goes on while the page's gateway is away
                await elsewhere.happens(*(said(n) for n in range(start + 10, start + 20)), index=False)
        async with world(servers.bus, servers.search, port=port):
            await _until(tab, 63)
            await tab.locator(_LIVE).wait_for()


async def _until(tab: Page, count: int) -> None:
    """Wait for so many items; none may be missing and none doubled."""

    async def there() -> bool:
        return len(set(await tab.evaluate(_SHOWN))) >= count

    await eventually(there, what=f"{count} items on the page", within=60, pause=0.1)
    assert Counter(await tab.evaluate(_SHOWN)) == Counter(f"chat:{n}#chat.message" for n in range(count))


async def test_a_page_whose_stream_is_refused_by_a_proxy_goes_on_where_it_was() -> None:
    refused = 0

    async def proxy(route: Route) -> None:
        nonlocal refused
        refused += 1
        await (route.fulfill(status=502) if refused == 1 else route.continue_())

    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        async with browsing(w.url) as (tab, _):
            await tab.route("**/v1/stream*", proxy)
            await tab.goto("/?as=ann")
            await tab.locator(_LOST).wait_for()
            await w.happens(said(2), index=False)
            await tab.locator(_LIVE).wait_for()
            await tab.get_by_text("message 2").wait_for()
            assert refused > 1
