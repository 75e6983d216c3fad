"""A real repository through the stack into a real browser: a push appears, is found, and a force push undoes it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.e2e.client import configure, documents, get, page_of
from tests.fixtures.gitrepo import BOB, GitRepo
from tests.fixtures.process import missing
from tests.fixtures.stack import Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.may_block("git and processes are driven by blocking calls")]

CHROMIUM = Path("/usr/bin/chromium")
THERE = CHROMIUM.exists()
SECRET = "quokkasecret"


@asynccontextmanager
async def browser(stack: Stack) -> AsyncIterator[tuple[Page, list[str]]]:
    """Open a tab on the stack's page; yields it and what its console complained about."""
    if not THERE:
        missing("not run: Chromium is not installed; `make ci-deps` installs it")
    async with async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        tab = await chromium.new_page(base_url=stack.url())
        tab.set_default_timeout(60_000)
        complaints: list[str] = []
        tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield tab, complaints
        finally:
            await chromium.close()


@pytest.mark.timeout(600)
async def test_a_push_appears_is_found_and_is_undone(stack: Stack, gitrepo: Callable[[], GitRepo]) -> None:
    repo = gitrepo()
    repo.commit("Begin the parser", {"src/parser.py": "1"})
    configure(stack, {"name": "tool", "kind": "git", "url": repo.url, "poll_seconds": 0.3})
    stack.start("ingest", "enrich", "index", "gateway")
    await stack.ready()
    async with browser(stack) as (tab, complaints):
        await eventually(lambda: _has(stack, "Begin the parser"), what="the past is indexed", stack=stack)
        await tab.goto("/")
        await tab.get_by_text("Begin the parser").first.wait_for()
        await tab.locator('#state[data-state="live"]').wait_for()

        leaked = repo.commit(f"Cache tokens, {SECRET}", {"src/cache.py": "2"}, author=BOB)
        await tab.get_by_text("Cache tokens").first.wait_for()

        await eventually(lambda: _has(stack, SECRET), what="the push is indexed", stack=stack)
        assert "Cache tokens" in json.dumps(json.loads(await get(stack, "/v1/search", q="cache"))["orderedItems"])
        assert "src/cache.py" in await page_of(stack, f"tool:commit/{leaked}")
        assert "Cache tokens" in json.dumps(json.loads(await get(stack, "/v1/people", q="cache tokens")))

        repo.force_push("HEAD~1", "Cache tokens safely", {"src/cache.py": "3"})
        await tab.get_by_text("Cache tokens safely").first.wait_for()

        async def undone() -> bool:
            return SECRET not in await documents(stack) and SECRET not in await page_of(stack, f"tool:commit/{leaked}")

        await eventually(undone, what="what was pushed away is nowhere", stack=stack)
        await tab.reload()
        await tab.get_by_text("Cache tokens safely").first.wait_for()
        assert SECRET not in await tab.content()
        assert complaints == []


async def _has(stack: Stack, text: str) -> bool:
    return text in await documents(stack)
