"""The connector over a real wiki: live beside backfill, restarts, logins, and a wiki that is busy or gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from services.common.errors import Retry, Stop
from services.common.model import Activity, Container, Visibility
from services.ingest.connector import Connector, Tools
from services.ingest.connectors.mediawiki import CONNECTOR
from tests.fixtures.faultproxy import FaultProxy
from tests.fixtures.mediawiki import MediaWiki
from tests.integration.ingest.connectors.conftest import Look

pytestmark = [pytest.mark.integration, pytest.mark.may_block("the server is driven by blocking calls")]

WIKI = Container(id="tried:wiki", type="Wiki")


def opened(tools: Tools, url: str, **options: Any) -> AbstractAsyncContextManager[Connector]:
    quick = {"url": url, "poll_seconds": 0.2, "requests_per_second": 1000, **options}
    return CONNECTOR.open(CONNECTOR.settings.model_validate(quick), tools)


@pytest.fixture
async def wiki(mediawiki: MediaWiki, tools: Tools) -> AsyncIterator[Connector]:
    async with opened(tools, mediawiki.url) as connector:
        yield connector


def showing(text: str) -> Callable[[list[Activity]], bool]:
    return lambda found: any(one.object.content == text for one in found)


async def all_of(wiki: Connector) -> list[Activity]:
    return [one async for batch in wiki.backfill(WIKI, "") for one in batch.activities]


async def test_the_wiki_is_one_container_open_to_all(wiki: Connector) -> None:
    (container,) = await wiki.discover()
    access = await wiki.access(container)
    assert (access.id, access.visibility, access.name) == ("tried:wiki", Visibility.PUBLIC, "TestWiki")


async def test_a_restricted_wiki_names_who_may(mediawiki: MediaWiki, tools: Tools) -> None:
    async with opened(tools, mediawiki.url, visibility="restricted", principals=["group:ops"]) as wiki:
        access = await wiki.access(WIKI)
    assert (access.visibility, access.principals) == (Visibility.RESTRICTED, ("group:ops",))


async def test_live_goes_on_from_its_cursor_and_gives_the_ids_of_the_backfill(
    mediawiki: MediaWiki, wiki: Connector, watch: Look
) -> None:
    live = wiki.live("")
    first = await anext(live)
    mediawiki.edit("Lively", "one")
    mediawiki.edit("Lively", "two")
    seen, cursor = await watch(live, showing("two"))
    mediawiki.edit("Lively", "three")  # nobody reads just now
    resumed, _ = await watch(wiki.live(cursor), showing("three"))
    again, _ = await watch(wiki.live(first.cursor), showing("three"))
    await asyncio.sleep(1.05 - time.time() % 1)
    past = await all_of(wiki)
    ways = [{one.id for one in way if one.object.title == "Lively"} for way in (seen + resumed, again, past)]
    assert ways[0] == ways[1] == ways[2]
    assert len(ways[0]) == 3


async def test_a_backfill_goes_on_from_its_cursor(mediawiki: MediaWiki, wiki: Connector) -> None:
    mediawiki.edit("Long past", "text")
    await asyncio.sleep(1.05 - time.time() % 1)
    batches = [batch async for batch in wiki.backfill(WIKI, "")]
    assert batches[-1].complete
    again = [one async for batch in wiki.backfill(WIKI, batches[-1].cursor) for one in batch.activities]
    assert {one.id for one in again} <= {one.id for batch in batches for one in batch.activities}


async def test_live_falls_back_when_the_recent_changes_were_pruned(
    mediawiki: MediaWiki, wiki: Connector, watch: Look
) -> None:
    cursor = (await anext(wiki.live(""))).cursor
    mediawiki.edit("Missed", "while we were away")
    await asyncio.sleep(1.05 - time.time() % 1)
    mediawiki.prune_recent_changes()
    found, _ = await watch(wiki.live(cursor), showing("while we were away"))
    assert [one.object.title for one in found if one.verb == "wiki.create"][-1] == "Missed"


async def test_reconcile_gives_the_same_again(mediawiki: MediaWiki, wiki: Connector) -> None:
    mediawiki.edit("Checked", "text")
    await asyncio.sleep(1.05 - time.time() % 1)
    batches = [batch async for batch in wiki.reconcile(WIKI)]
    assert {batch.cursor for batch in batches} == {""}
    assert {one.id for batch in batches for one in batch.activities} == {one.id for one in await all_of(wiki)}


async def test_users_and_bots(mediawiki: MediaWiki, wiki: Connector) -> None:
    mediawiki.edit("By whom", "text", bot=True)
    found = {account.name: account.type for account in await wiki.accounts()}
    assert found["SyncBot"] == "service"
    assert found["Alice"] == "person"


async def test_a_wiki_behind_a_login(mediawiki: MediaWiki, tools: Tools) -> None:
    mediawiki.edit("Private", "for members")
    mediawiki.configure("$wgGroupPermissions['*']['read'] = false;")
    try:
        with pytest.raises(Stop, match="'username'"):
            async with opened(tools, mediawiki.url) as wiki:
                await wiki.discover()
        login = {"username": "Alice", "password": "AlicePass-12345"}
        async with opened(tools, mediawiki.url, **login) as wiki:
            await asyncio.sleep(1.05 - time.time() % 1)
            assert showing("for members")(await all_of(wiki))
        with pytest.raises(Stop, match="does not accept Alice"):
            async with opened(tools, mediawiki.url, username="Alice", password="wrong") as wiki:
                await wiki.discover()
    finally:
        mediawiki.configure("$wgGroupPermissions['*']['read'] = true;")


async def test_a_busy_wiki_is_asked_again_and_nothing_is_lost(
    mediawiki: MediaWiki, tools: Tools, faultproxy: Callable[[str], FaultProxy], watch: Look
) -> None:
    proxy = faultproxy(mediawiki.url)
    async with opened(tools, proxy.url) as wiki:
        cursor = (await anext(wiki.live(""))).cursor
        mediawiki.edit("Patience", "text")
        proxy.refuse(429, retry_after=1, times=1)
        proxy.refuse(200, body='{"errors": [{"code": "maxlag", "text": "x"}]}', retry_after=7, times=1)
        with pytest.raises(Retry) as caught:
            await watch(wiki.live(cursor), showing("text"))
        assert caught.value.after == 7
        assert proxy.answers[429] == 1
        found, _ = await watch(wiki.live(cursor), showing("text"))
    assert found[-1].object.title == "Patience"


async def test_a_wiki_that_is_gone_is_awaited(
    mediawiki: MediaWiki, tools: Tools, faultproxy: Callable[[str], FaultProxy]
) -> None:
    proxy = faultproxy(mediawiki.url)
    proxy.cut()
    async with opened(tools, proxy.url) as wiki:
        with pytest.raises(Retry):
            await wiki.discover()
        proxy.heal()
        assert len(await wiki.discover()) == 1


async def test_what_is_no_wiki_stops(tools: Tools, faultproxy: Callable[[str], FaultProxy]) -> None:
    proxy = faultproxy("http://127.0.0.1:9")
    proxy.refuse(200, body="{}")
    async with opened(tools, proxy.url) as wiki:
        with pytest.raises(Stop, match="'url'"):
            await wiki.discover()
