"""A real repository is committed to, rewritten, tagged and pruned; what the connector tells of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from services.common.errors import Retry, Stop
from services.common.model import AccountType, Activity, ActivityType, Visibility
from services.ingest.connector import Batch, Connector, Tools
from services.ingest.connectors.git import CONNECTOR
from services.ingest.connectors.git.settings import GitSettings
from tests.fixtures.gitrepo import ALICE, BOB, GitRepo

pytestmark = pytest.mark.integration


def tools(folder: Path) -> Tools:
    return Tools(source="tool", mask=lambda text: sha256(text.encode()).hexdigest()[:16], state=folder)


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Connector]:
    async with CONNECTOR.open(GitSettings(url=url, poll_seconds=0.2), tools(folder)) as connector:
        yield connector


async def past(connector: Connector) -> list[Activity]:
    [container] = await connector.discover()
    return [one async for batch in connector.backfill(container, "") for one in batch.activities]


async def until(live: AsyncIterator[Batch], enough: Callable[[list[Activity]], bool]) -> tuple[list[Activity], str]:
    """Read live batches until enough was told and its cursor came."""
    found: list[Activity] = []
    async with asyncio.timeout(20):
        async for batch in live:
            found += batch.activities
            if batch.cursor and enough(found):
                return found, batch.cursor
    raise AssertionError("the live side ended")


def verbs(activities: list[Activity]) -> list[str]:
    return [one.verb for one in activities]


@pytest.fixture
async def mirrored(gitrepo: Callable[[], GitRepo], tmp_path: Path) -> AsyncIterator[tuple[GitRepo, Connector]]:
    repo = gitrepo()
    async with AsyncExitStack() as stack:
        yield repo, await stack.enter_async_context(opened(repo.url, tmp_path / "state"))


async def test_a_commit_is_told_whole(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    sha = repo.commit(
        "Parse faster\n\nIt was slow.\n\nCo-authored-by: Bob Example <bob@example.org>",
        {"src/parse.py": "x", 'a "quoted"\tname.txt': "y"},
    )
    [told] = await past(connector)
    assert told.id == f"tool:commit/{sha}#git.commit"
    assert (told.type, told.object.type, told.object.title) == (ActivityType.CREATE, "Commit", "Parse faster")
    assert "It was slow." in told.object.content
    assert set(told.files) == {"src/parse.py", 'a "quoted"\tname.txt'}
    assert told.actor.name == "Alice Example"
    assert "alice@example.org" not in repr(told).replace(told.object.content, "")
    bob = sha256(b"bob@example.org").hexdigest()[:16]
    assert told.coauthors == (f"tool:author/{bob}",)
    assert (await connector.access((await connector.discover())[0])).visibility is Visibility.PUBLIC


async def test_all_refs_are_read_and_again_gives_the_same(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    repo.commit("one", {"a": "1"})
    repo.branch("side")
    repo.commit("two", {"b": "2"}, author=BOB)
    repo.tag("v1")
    first, again = await past(connector), await past(connector)
    assert verbs(first) == ["git.commit", "git.commit", "git.tag"]
    assert first == again


async def test_a_push_arrives_live_and_only_what_is_new(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    repo.commit("old", {"a": "1"})
    await connector.discover()
    live = connector.live("")
    _, _ = await until(live, lambda found: not found)
    sha = repo.commit("new", {"a": "2"})
    found, cursor = await until(live, lambda found: bool(found))
    assert [one.object.version for one in found] == [sha]
    repo.commit("newer", {"a": "3"})
    later, _ = await until(connector.live(cursor), lambda found: bool(found))
    assert [one.object.title for one in later] == ["newer"]


async def test_rewritten_history_is_withdrawn_and_may_come_back(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    repo.commit("keep", {"a": "1"})
    bad = repo.commit("has a secret", {"a": "2"})
    await connector.discover()
    live = connector.live("")
    await until(live, lambda found: not found)
    repo.force_push("HEAD~1", "without it")
    found, _ = await until(live, lambda found: "git.force-push" in verbs(found))
    [force] = [one for one in found if one.verb == "git.force-push"]
    [drop] = [one for one in found if one.verb == "git.drop"]
    assert (force.object.previous_version, force.type) == (bad, ActivityType.UPDATE)
    assert (drop.object.id, drop.object.type, drop.withdraws) == (f"tool:commit/{bad}", "Tombstone", ("*",))
    repo.branch("again", at=bad)
    found, _ = await until(live, lambda found: "git.restore" in verbs(found))
    [restore] = [one for one in found if one.verb == "git.restore"]
    assert restore.object.title == "has a secret"
    assert restore.order > drop.order


async def test_a_deleted_branch_is_told_and_takes_its_commits_along(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    repo.commit("keep", {"a": "1"})
    repo.branch("side")
    lost = repo.commit("only here", {"b": "2"})
    await connector.discover()
    live = connector.live("")
    await until(live, lambda found: not found)
    repo.checkout("main")
    repo.delete_branch("side")
    found, _ = await until(live, lambda found: "git.branch-delete" in verbs(found))
    assert f"tool:commit/{lost}" in {one.object.id for one in found if one.verb == "git.drop"}


async def test_what_is_of_a_time_that_there_is_not_stops_nothing(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    repo.commit("Well", {"a": "1"})
    repo.stamp = "@253402300800 +0000"  # the year 10000
    repo.commit("Odd", {"a": "2"})
    repo.tag("odd", "A tag")
    [container] = await connector.discover()
    batches = [one async for one in connector.backfill(container, "")]
    assert [one.object.title for batch in batches for one in batch.activities] == ["Well"]
    assert [one.key for batch in batches for one in batch.failures][1:] == ["refs/tags/odd"]


async def test_a_bot_is_a_service(mirrored: tuple[GitRepo, Connector]) -> None:
    repo, connector = mirrored
    repo.commit("bump", {"a": "1"}, author="renovate[bot] <bot@example.org>")
    assert (await past(connector))[0].actor.type is AccountType.SERVICE


async def test_a_local_repository_is_read_where_it_lies(gitrepo: Callable[[], GitRepo], tmp_path: Path) -> None:
    repo = gitrepo()
    repo.commit("here", {"a": "1"}, author=ALICE)
    async with opened(str(repo.work), tmp_path / "state") as connector:
        assert "git.commit" in verbs(await past(connector))
    assert not (tmp_path / "state").exists()


async def test_what_is_no_repository_is_said_so(tmp_path: Path) -> None:
    async with opened(str(tmp_path), tmp_path / "state") as connector:
        with pytest.raises(Stop, match="is not a git repository"):
            await connector.discover()
    async with opened((tmp_path / "none.git").as_uri(), tmp_path / "state") as connector:
        with pytest.raises(Retry, match="git fetch failed"):
            await connector.discover()
