"""Every page for everybody: axe, the keyboard, light and dark, a desk and a phone. A new page needs an entry here."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from services.gateway.app import build
from tests.fixtures.browser import browser, tab
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, ROOM, World, said, world

pytestmark = pytest.mark.integration

PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/", "/?container=chat%3Ahall"),
    "/for-you": ("/for-you",),
    "/following": ("/following",),
    "/mentions": ("/mentions",),
    "/notifications": ("/notifications",),
    "/topics": ("/topics", "/topics?container=chat%3Ahall"),
    "/topics/{topic}": ("/topics/parser", "/topics/absent"),
    "/search": ("/search?q=parser", "/search"),
    "/people": ("/people?q=parser", "/people"),
    "/people/{id}": ("/people/bob",),
    "/objects/{id}": ("/objects/chat%3A1", "/objects/absent"),
    "/docs": ("/docs",),
}
"""Addresses to look at, by the path of the page's route. An absent thing shows the page of errors."""
PROGRAMS = re.compile(r"/(v1|registry|static|openapi|login|healthz|readyz|metrics)\b.*")
"""Paths of routes that are for programs."""
DESK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "has_touch": True}
OTHER_THERE = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""What colours and width make a difference to: asked of both devices, all other rules of axe of one."""

REACHED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const inside = one.querySelector(".target");
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const marked = outlined || (inside && getComputedStyle(inside).stroke !== "none");
  const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  one.dataset.reached = "yes";
  return { at: one.outerHTML.slice(0, 120), body: one === document.body, marked, seen };
}"""
MISSED = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.dataset.reached)
  .map((one) => one.outerHTML.slice(0, 120))"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@asynccontextmanager
async def lively() -> AsyncIterator[World]:
    """Run a gateway that has something for every page."""
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        long = "https://example.org/" + "x" * 200
        words = ("parser notes", f"parser {long}", "parser of a very-long-" + "name" * 40)
        acts = [
            replace(said(n, text=words[n % 3], who=who, where=where), tags=("parser", "release"))
            for n, (who, where) in enumerate(
                (who, where) for who in ("ann", "bob", "cat", "dan") for where in (HALL, ROOM)
            )
        ]
        await w.happens(*acts)
        await recommend(w, "chat:1", 0.7)
        yield w


def shown(w: World) -> set[str]:
    """Return the paths of all pages that the application has."""
    found = {
        route.resource.canonical for route in build(w.parts).router.routes() if route.resource and route.method == "GET"
    }
    return {path for path in found if not PROGRAMS.fullmatch(path)}


async def test_every_page_is_looked_at() -> None:
    async with world() as w:
        assert shown(w) == set(PAGES)


@pytest.mark.parametrize(("device", "rules"), [(DESK, []), (PHONE, OTHER_THERE)], ids=["desk, light", "phone, dark"])
async def test_pages_have_nothing_serious_fit_the_screen_and_complain_of_nothing(
    device: dict[str, Any], rules: list[str]
) -> None:
    found: dict[str, object] = {}
    async with lively() as w, browser() as started, tab(started, w.url, **device) as (page, complaints):
        for path in (path for paths in PAGES.values() for path in paths):
            await page.goto(f"{path}{'&' if '?' in path else '?'}as=ann")
            serious = await violations(page, rules)
            wider = await page.evaluate(WIDER)
            expected = "absent" in path and "/objects" in path
            if serious or wider > 0 or (complaints and not expected):
                found[path] = (serious, wider, list(complaints))
            complaints.clear()
    assert found == {}


async def violations(page: Page, rules: list[str]) -> list[tuple[str, str]]:
    """Return what axe finds by these rules (all without any) that is serious or critical, and where."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": rules}} if rules else {})
    said = await Axe().run(page, options=options)
    return [
        (one["id"], node["html"][:160])
        for one in said.response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def test_every_action_is_reached_by_the_keyboard_with_a_focus_that_is_seen() -> None:
    found: dict[str, object] = {}
    async with lively() as w, browser() as started, tab(started, w.url, **DESK) as (page, _):
        for path in (path for paths in PAGES.values() for path in paths):
            await page.goto(f"{path}{'&' if '?' in path else '?'}as=ann")
            blind = await walked(page)
            missed = await page.evaluate(MISSED)
            if blind or missed:
                found[path] = (blind, missed)
    assert found == {}


async def walked(page: Page) -> list[str]:
    """Press Tab until everything was reached; returns what shows no focus."""
    blind: list[str] = []
    for number in range(400):
        await page.keyboard.press("Tab")
        at = await page.evaluate(REACHED)
        if at["body"]:
            return blind
        if number == 0:
            assert "Skip to content" in at["at"]
        if not (at["marked"] and at["seen"]):
            blind.append(at["at"])
    raise AssertionError("the keyboard does not come out of the page")


async def test_the_skip_link_leads_past_the_frame_and_the_dial_turns_by_arrow_keys() -> None:
    async with lively() as w, browser() as started, tab(started, w.url, **DESK) as (page, complaints):
        await page.goto("/for-you?as=ann")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        dial = page.get_by_label("From familiar to surprising")
        assert await dial.evaluate("one => one === document.activeElement")
        before = float(await dial.input_value())
        await page.keyboard.press("ArrowRight")
        await page.get_by_text("Ranked anew.").wait_for()
        assert float(await dial.input_value()) > before
        assert complaints == []
