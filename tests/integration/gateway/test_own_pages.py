"""One's own pages in a real browser: what arrives by itself, and all the rest by forms without scripts."""

from dataclasses import replace

import pytest
from playwright.async_api import expect

from services.common.clock import now
from services.gateway.auth import COOKIE
from tests.fixtures.browser import browser, browsing, tab
from tests.unit.gateway.speech import Speech
from tests.unit.gateway.world import HALL, said, world

pytestmark = pytest.mark.integration


async def test_what_is_followed_and_what_is_answered_arrive_without_a_reload() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob", text="a question"))
        async with browsing(w.url) as (tab, complaints):
            await tab.goto("/people/bob?as=ann")
            await tab.get_by_role("button", name="Follow Bob").press("Enter")
            await tab.get_by_text("You follow it now").wait_for()
            await tab.goto("/following?as=ann")
            await tab.locator('#state[data-state="live"]').wait_for()
            await w.happens(said(2, who="cat", text="of somebody else"), said(3, who="bob", text="of bob"), index=False)
            await tab.get_by_text("of bob").wait_for()
            await expect(tab.get_by_text("of somebody else")).to_have_count(0)
            await tab.goto("/objects/chat%3A1?as=ann")
            await w.happens(replace(said(4, who="cat", text="an answer"), thread="chat:1"), index=False)
            await tab.get_by_role("heading", name="Conversation").wait_for()
            await tab.get_by_text("an answer").wait_for()
            assert complaints == []


async def test_what_is_unread_is_counted_on_every_live_page_as_it_comes_and_as_it_is_read() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob", text="a question"))
        async with browser() as started, tab(started, w.url) as (page, _), tab(started, w.url) as (inbox, complaints):
            await page.goto("/?as=ann")
            await page.locator('#state[data-state="live"]').wait_for()
            await expect(page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
            await inbox.goto("/mentions?as=ann")
            await inbox.locator('#state[data-state="live"]').wait_for()
            await w.happens(replace(said(2, who="bob", text="ask ann about herons"), mention_people=("ann",)))
            await inbox.get_by_text("ask ann about herons").wait_for()
            await inbox.get_by_text("1 new", exact=True).first.wait_for()
            await expect(inbox).to_have_title("(1) Inbox · Watercooler")
            await expect(page.get_by_role("link", name="Inbox 1 unread")).to_be_visible()
            await inbox.get_by_role("button", name="Mark all as read").press("Enter")
            await inbox.get_by_text("Nothing new since just now").wait_for()
            await expect(page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()
            assert complaints == []


async def test_speaking_groups_rules_and_settings_work_without_scripts() -> None:
    async with world() as w:
        s = Speech(w)
        await w.opened(HALL)
        await w.happens(said(1, who="bob", text="the heron is back", published=now()))
        async with browsing(w.url, java_script_enabled=False) as (tab, complaints):
            await tab.context.add_cookies([{"name": COOKIE, "value": "ann", "url": str(w.url)}])
            await tab.goto("/groups")
            await tab.get_by_label("Name").fill("Birds")
            await tab.get_by_role("button", name="Make the group").click()
            await tab.get_by_label("Say something to Birds").fill("hello")
            await tab.get_by_role("button", name="Post").click()
            await tab.get_by_text("Said.").wait_for()
            await s.settle()
            await tab.reload()
            await tab.get_by_role("link", name="Edit or delete").click()
            await tab.get_by_text("Edit", exact=True).click()
            await tab.get_by_label("Your note").fill("hello, herons")
            await tab.get_by_role("button", name="Save").click()
            await tab.locator(".body").get_by_text("hello, herons").wait_for()
            await tab.goto("/rules")
            await tab.get_by_label("if … then …").fill("if says heron then notify")
            await tab.get_by_role("button", name="Try it").click()
            await tab.get_by_text("would have held for 1 activity").wait_for()
            await tab.get_by_role("button", name="Switch it on").click()
            await tab.get_by_role("link", name="Inbox 1 unread").click()
            await tab.goto("/settings")
            await tab.get_by_label("What it is for").fill("laptop")
            await tab.get_by_role("button", name="Make the token").click()
            await expect(tab.get_by_label("Token", exact=True)).to_contain_text("wct_")
            assert complaints == []
