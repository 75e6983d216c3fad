"""A real wiki is edited, moved, deleted, restored and hidden; every way of reading it says the same."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.common.http import HttpOptions, opened
from services.common.model import AccountType, Activity, Method, Visibility
from services.ingest.connectors.mediawiki.api import WikiApi
from services.ingest.connectors.mediawiki.changes import Change, Changes
from services.ingest.connectors.mediawiki.reader import Reader
from services.ingest.connectors.mediawiki.site import Site
from tests.fixtures.mediawiki import MediaWiki

pytestmark = [pytest.mark.integration, pytest.mark.may_block("the server is driven by blocking calls")]


@dataclass
class Reading:
    """The reading half of the connector, over one wiki."""

    changes: Changes
    reader: Reader
    since: int

    async def live(self, title: str) -> list[Activity]:
        return await self._about(title, self.changes.recent(self.since))

    async def backfill(self, title: str) -> list[Activity]:
        return await self._about(title, self.changes.history(self.since))

    async def _about(self, title: str, changes: AsyncIterator[Change]) -> list[Activity]:
        await asyncio.sleep(1.05 - time.time() % 1)  # the running second is left to the next look
        found: list[Activity] = []
        async for some in self.reader.found(changes, Method.POLL):
            assert some.failures == []
            found += some.activities
        return [one for one in found if title in one.object.title or title in one.ext.get("old", "")]


@pytest.fixture
async def reading(mediawiki: MediaWiki) -> AsyncIterator[Reading]:
    async with opened("wiki", mediawiki.api_url, HttpOptions(requests=1000)) as http:
        api = WikiApi("wiki", mediawiki.api_url, http, maxlag=5)
        site = Site(
            source="wiki",
            api_url=mediawiki.api_url,
            name="TestWiki",
            namespaces={},
            visibility=Visibility.PUBLIC,
            mask=lambda text: "0123456789abcdef",
            bots=frozenset({4}),
        )
        yield Reading(Changes(api, ()), Reader(site, api, page_size=3), int(time.time()))


def final(activities: list[Activity]) -> Activity:
    """The state that wins in the index: the highest order, the later one of equals; hiding one of several is none."""
    states = [one for one in activities if one.withdraws in ((), ("*",))]
    return max(reversed(states), key=lambda activity: activity.order)


async def test_edits_within_one_second_come_by_every_way_with_the_same_ids(
    mediawiki: MediaWiki, reading: Reading
) -> None:
    mediawiki.edit("Twice", "one")
    for text in ("two", "three", "four"):
        mediawiki.edit("Twice", text)
    mediawiki.edit("Twice", "four")  # a null edit
    live, back = await reading.live("Twice"), await reading.backfill("Twice")
    assert [one.object.content for one in live] == ["one", "two", "three", "four"]
    assert [one.id for one in live] == [one.id for one in back]
    assert final(live).object.content == "four"


async def test_everything_at_once_ends_right(mediawiki: MediaWiki, reading: Reading) -> None:
    mediawiki.edit("Busy", "one")
    mediawiki.edit("Busy", "two")
    mediawiki.move("Busy", "Busy moved")
    mediawiki.edit("Busy moved", "three")
    mediawiki.delete("Busy moved")
    mediawiki.undelete("Busy moved")
    mediawiki.edit("Busy moved", "four")
    for activities in (await reading.live("Busy"), await reading.backfill("Busy")):
        last = final(activities)
        assert (last.object.title, last.object.content) == ("Busy moved", "four")
        move = next(one for one in activities if one.verb == "wiki.move")
        assert (move.object.content, move.ext["old"], move.ext["new"]) == ("two", "Busy", "Busy moved")
        verbs = [one.verb for one in activities]
        assert verbs.count("wiki.delete") == verbs.count("wiki.restore") == verbs.count("wiki.move") == 1
        assert len({one.object.id for one in activities}) == 1


async def test_a_deletion_takes_the_edits_out_of_the_recent_changes(mediawiki: MediaWiki, reading: Reading) -> None:
    mediawiki.edit("Doomed", "secret words")
    mediawiki.delete("Doomed", "vandalism")
    for activities in (await reading.live("Doomed"), await reading.backfill("Doomed")):
        assert [(one.verb, one.withdraws) for one in activities] == [("wiki.delete", ("*",))]
        assert "secret words" not in repr(activities)


async def test_what_undeletion_leaves_out_of_the_recent_changes_comes_with_the_restoration(
    mediawiki: MediaWiki, reading: Reading
) -> None:
    mediawiki.edit("Back again", "first")
    mediawiki.delete("Back again")
    mediawiki.undelete("Back again")
    live, back = await reading.live("Back again"), await reading.backfill("Back again")
    assert [one.verb for one in live] == ["wiki.delete", "wiki.restore"]  # the creation's row is gone for good
    assert [one.verb for one in back] == ["wiki.create", "wiki.delete", "wiki.restore"]
    assert final(live).object.content == final(back).object.content == "first"


async def test_a_hidden_revision_is_withdrawn_and_given_again_without_its_parts(
    mediawiki: MediaWiki, reading: Reading
) -> None:
    secret = mediawiki.edit("Leaky", "the password is hunter2", summary="oops hunter2")["newrevid"]
    mediawiki.edit("Leaky", "clean", account="Admin")
    before = await reading.live("Leaky")
    assert "hunter2" in repr(before)
    mediawiki.revision_delete("Leaky", secret, reason="pii")
    for activities in (await reading.live("Leaky"), await reading.backfill("Leaky")):
        assert "hunter2" not in repr(activities)
        again = next(one for one in activities if one.id == before[0].id)
        assert again.actor.type is AccountType.UNKNOWN
        hide = next(one for one in activities if one.verb == "wiki.hide")
        assert hide.withdraws == (str(secret),)
        assert final(activities).object.content == "clean"


async def test_bots_and_visitors_without_account(mediawiki: MediaWiki, reading: Reading) -> None:
    mediawiki.edit("Mixed hands", "by a bot", bot=True)
    mediawiki.edit("Mixed hands", "by a visitor", account=None)
    bot, visitor = await reading.live("Mixed hands")
    assert bot.actor.type is AccountType.SERVICE
    assert visitor.actor.name == "anonymous-0123456789ab"
    assert "127.0.0.1" not in repr((visitor.actor, visitor.ext, visitor.object.title))


async def test_a_talk_page_answers_its_article(mediawiki: MediaWiki, reading: Reading) -> None:
    mediawiki.edit("Discussed", "text")
    mediawiki.edit("Talk:Discussed", "really?")
    article, comment = await reading.live("Discussed")
    assert (comment.verb, comment.object.in_reply_to) == ("wiki.comment", article.object.id)


async def test_the_history_of_all_pages_replaces_pruned_recent_changes(mediawiki: MediaWiki, reading: Reading) -> None:
    mediawiki.edit("Old page", "old text")
    before = await reading.live("Old page")
    mediawiki.prune_recent_changes()
    assert await reading.live("Old page") == []
    assert await reading.changes.oldest_recent() is None
    assert [one.id for one in await reading.backfill("Old page")] == [one.id for one in before]
