"""What every page loads and runs: our own files only, little of them, nothing in line."""

import re

import pytest

from services.gateway.respond import SECURITY
from tests.unit.gateway.every_page import ADDRESSES, PAGES, STATIC, lively, shown
from tests.unit.gateway.world import world

MOST = 200 * 1024
"""Bytes of all scripts together, before compression."""
IN_LINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)
LOADED = re.compile(r"""<(?:script|link|img|iframe|use|source)\b[^>]*?\b(?:src|href)="([^"]+)""", re.IGNORECASE)


async def test_every_page_is_looked_at() -> None:
    async with world() as w:
        assert shown(w) == set(PAGES)


async def test_pages_hold_no_script_and_no_style_in_line_and_load_only_what_is_ours() -> None:
    async with lively() as w:
        for path in ADDRESSES:
            answer = await w.get(path)
            html = await answer.text()
            assert answer.headers["Content-Security-Policy"] == SECURITY["Content-Security-Policy"]
            assert IN_LINE.findall(html) == [], path
            loaded = [url for url in LOADED.findall(html) if not url.startswith(("/static/", "/v1/feed"))]
            assert loaded == [], path


def test_the_policy_lets_nothing_in_line_and_nothing_foreign_run() -> None:
    policy = dict(part.strip().split(" ", 1) for part in SECURITY["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"


def test_all_scripts_together_are_small() -> None:
    sizes = {file.name: len(file.read_bytes()) for file in STATIC.iterdir() if file.suffix == ".js"}
    assert {"live.js", "source.js", "picture.js"} <= set(sizes)
    assert sum(sizes.values()) < MOST, sizes


@pytest.mark.parametrize("bad", ["<script>x</script>", '<p style="a">', '<p onclick="x">', '<a href="javascript:x">'])
def test_what_is_in_line_would_be_seen(bad: str) -> None:
    assert IN_LINE.search(bad)
    assert not IN_LINE.search('<script type="module" src="/static/live.js"></script><p class="on">')
