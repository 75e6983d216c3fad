"""Every page (tests/unit/gateway/every_page.py) for everybody: axe, keyboard, light and dark, a desk and a phone."""

from collections.abc import Sequence

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.fixtures.browser import browser, tab
from tests.unit.gateway.every_page import ADDRESSES, lively

pytestmark = pytest.mark.integration

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
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((one) => !one.matches("[type=hidden], [type=radio]:not(:checked)"))  // arrow keys move among radio buttons
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.dataset.reached)
  .map((one) => one.outerHTML.slice(0, 120))"""
FROM_THE_TOP = """() => {  // also where the page has put the focus on what was just done
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def test_pages_at_a_desk_have_nothing_serious_and_are_used_by_keyboard_with_a_focus_that_shows() -> None:
    async with lively() as w, browser() as started, tab(started, w.url, **DESK) as (page, complaints):
        found = {path: await seen(page, path, complaints, keyboard=True) for path in ADDRESSES}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def test_pages_in_the_dark_on_a_phone_have_nothing_serious_and_fit_the_screen() -> None:
    async with lively() as w, browser() as started, tab(started, w.url, **PHONE) as (page, complaints):
        found = {path: await seen(page, path, complaints, rules=OTHER_THERE) for path in ADDRESSES}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def seen(
    page: Page, path: str, complaints: list[str], *, rules: Sequence[str] = (), keyboard: bool = False
) -> dict[str, object]:
    """Return what is wrong with a page, by what it was looked at for."""
    answer = await page.goto(f"{path}{'&' if '?' in path else '?'}as=ann")
    assert answer is not None
    wider = await page.evaluate(WIDER)
    found = {
        "axe": await violations(page, rules),
        "wider than the screen": [wider] if wider > 0 else [],
        "console": list(complaints) if answer.ok else [],  # Chromium complains of the status of a page of errors
        "not one heading": [] if await page.locator("h1").count() == 1 else ["h1"],
        "shows no focus": await walked(page) if keyboard else [],
        "not reached": await page.evaluate(MISSED) if keyboard else [],
    }
    complaints.clear()
    return {name: wrong for name, wrong in found.items() if wrong}


async def violations(page: Page, rules: Sequence[str]) -> list[tuple[str, str]]:
    """Return what axe finds by these rules (all without any) that is serious or critical, and where."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": list(rules)}} if rules else {})
    said = await Axe().run(page, options=options)
    return [
        (one["id"], node["html"][:160])
        for one in said.response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def walked(page: Page) -> list[str]:
    """Press Tab until everything was reached; returns what shows no focus."""
    blind: list[str] = []
    await page.evaluate(FROM_THE_TOP)
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
