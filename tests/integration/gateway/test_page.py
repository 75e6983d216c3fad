"""The page in a real browser: arrives live without a reload, says so when it is not live, and logs no error."""

import pytest

from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from tests.fixtures.browser import browsing
from tests.fixtures.stack import eventually
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, said, world

pytestmark = pytest.mark.integration
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


async def test_an_activity_appears_without_a_reload() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, text="before the page"))
        async with browsing(w.url) as (tab, complaints):
            await tab.goto("/?as=ann")
            await tab.get_by_text("before the page").wait_for()
            await tab.locator('#state[data-state="live"]').wait_for()
            await w.happens(said(2, text=f"after the page {EVIL}"), index=False)
            await tab.get_by_text("after the page <img").wait_for()
            cards = tab.locator("#feed > li")
            assert await cards.count() == 2
            assert "after the page" in await cards.first.inner_text()
            assert (await tab.title()) == "Live · Watercooler"
            assert complaints == []


async def test_who_reads_further_down_is_told_of_new_ones_and_not_moved() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(30)))
        async with browsing(w.url) as (tab, complaints):
            await tab.goto("/?as=ann")
            await tab.locator('#state[data-state="live"]').wait_for()
            await tab.evaluate("window.scrollTo(0, 600)")
            await w.happens(said(40, text="news"), index=False)
            button = tab.get_by_role("button", name="1 new")
            await button.wait_for()
            assert await tab.get_by_text("news", exact=True).count() == 0
            await button.focus()
            await tab.keyboard.press("Enter")
            await tab.get_by_text("news", exact=True).wait_for()
            assert complaints == []


async def test_every_view_is_readable_without_scripts() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, text="parser notes", who="bob"), said(2, text=f"{EVIL} parser", who="bob"))
        await recommend(w, "chat:1", 0.7)
        async with browsing(w.url, java_script_enabled=False) as (tab, complaints):
            for path, words in (
                ("/", "parser notes"),
                ("/for-you", "because of chat:1"),
                ("/search?q=parser", "closest by words"),
                ("/people?q=parser", "Bob"),
                ("/objects/chat%3A1", "parser notes"),
                ("/people/bob", "parser notes"),
                ("/topics/parser", "2 activities in 1 place"),
                ("/docs", "/v1/activities"),
            ):
                await tab.goto(path + ("&" if "?" in path else "?") + "as=ann")
                await tab.locator("main").get_by_text(words).first.wait_for()
            assert complaints == []


async def test_for_you_is_used_by_keyboard_in_place_and_says_what_it_did() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n, text=f"thing number {n}", who="bob") for n in (1, 2)))
        await recommend(w, "chat:1", 1.0, surprise=0.1)
        await recommend(w, "chat:2", 0.9, surprise=0.9)
        async with browsing(w.url) as (tab, complaints):
            await tab.goto("/for-you?as=ann")
            cards = tab.locator("#for-you > li")
            await tab.get_by_label("From familiar to surprising").focus()
            await tab.keyboard.press("End")
            await tab.get_by_text("Ranked anew.").wait_for()
            assert "thing number 2" in await cards.first.inner_text()
            useful = cards.first.get_by_role("button", name="Useful", exact=True)
            await useful.focus()
            await tab.keyboard.press("Enter")
            await tab.get_by_text("Noted as useful.").wait_for()
            assert await useful.get_attribute("aria-pressed") == "true"
            await cards.first.get_by_role("button", name="Less like this").press("Enter")
            await tab.get_by_role("status").get_by_role("button", name="Undo").wait_for()
            assert await cards.count() == 1
            await tab.get_by_role("button", name="Undo").press("Enter")
            await tab.get_by_text("Taken back.").wait_for()
            assert await cards.count() == 2
            await recommend(w, "chat:2", 0.9, withdrawn=True)
            await cards.nth(1).wait_for(state="detached")
            assert complaints == []


async def test_view_as_changes_what_is_shown() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened("chat:bobs", "bob")
        await w.happens(
            said(1, who="bob"), said(2, text="only for bob", where="chat:bobs", who="bob"), said(3, who="ann")
        )
        async with browsing(w.url) as (tab, _):
            await tab.goto("/?as=ann")
            assert await tab.get_by_text("only for bob").count() == 0
            await tab.get_by_label("View as").select_option("bob")
            await tab.get_by_role("button", name="Go").click()
            await tab.get_by_text("only for bob").wait_for()


async def test_the_feed_is_there_before_search_is_and_says_so() -> None:
    away = ElasticSearch(Client("http://127.0.0.1:1"), "t-")
    try:
        async with world(search=away) as w:
            await w.publish_access(HALL)
            await w.happens(said(1, text="already here"), index=False)
            await eventually(lambda: w.parts.hub.ring.end, what="it has arrived", within=5, pause=0.01)
            async with browsing(w.url) as (tab, complaints):
                await tab.goto("/?as=ann")
                await tab.get_by_text("already here").wait_for()
                await tab.locator('#state[data-state="live"]').wait_for()
                await tab.goto("/search?q=here&as=ann")
                await tab.get_by_role("alert").get_by_text("does not answer just now").wait_for()
                assert complaints == []
            answer = await w.get("/v1/search?q=here")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert (await w.client.get("/readyz")).status == 503
    finally:
        await away.stop()
