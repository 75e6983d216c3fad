"""Every page (tests/unit/gateway/every_page.py) for everybody: axe, keyboard, light and dark, a desk and a phone."""

from typing import Any

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
MISSED = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.dataset.reached)
  .map((one) => one.outerHTML.slice(0, 120))"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("device", "rules"), [(DESK, []), (PHONE, OTHER_THERE)], ids=["desk, light", "phone, dark"])
async def test_pages_have_nothing_serious_fit_the_screen_and_complain_of_nothing(
    device: dict[str, Any], rules: list[str]
) -> None:
    found: dict[str, object] = {}
    async with lively() as w, browser() as started, tab(started, w.url, **device) as (page, complaints):
        for path in ADDRESSES:
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
        for path in ADDRESSES:
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
