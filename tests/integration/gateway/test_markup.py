"""Whatever a source says, in a real browser: nothing of it runs or is loaded, and the console says nothing."""

from urllib.parse import quote

import pytest

from tests.fixtures.browser import browsing
from tests.unit.gateway.test_markup import EVIL, acts, evil, happened
from tests.unit.gateway.world import world

pytestmark = pytest.mark.integration
RUNS = "window.alert = () => { window.ran = true }"


async def test_nothing_that_a_source_says_runs_on_any_page_nor_when_it_comes_live() -> None:
    async with world() as w:
        many = acts()
        await happened(w, many)
        things = [f"/objects/{quote(one.activity.object.id, safe='')}" for one in many]
        people = [f"/people/{quote(one.person, safe='')}" for one in many[:3]]
        async with browsing(w.url) as (tab, complaints):
            await tab.add_init_script(RUNS)
            for path in ["/search?q=heron", "/people?q=heron", "/for-you", *things, *people, "/"]:
                await tab.goto(path + ("&" if "?" in path else "?") + "as=ann")
                assert await tab.get_by_text("alert(1)").count(), path
                assert not await tab.evaluate("window.ran"), path
            await tab.locator('#state[data-state="live"]').wait_for()
            later = [evil(100 + n, text, "javascript:alert(1)", f"chat:p{text}") for n, text in enumerate(EVIL)]
            await w.happens(*later, index=False)
            await tab.locator(f"#feed > li:nth-child({2 * len(EVIL)})").wait_for()
            assert not await tab.evaluate("window.ran")
            assert complaints == []
