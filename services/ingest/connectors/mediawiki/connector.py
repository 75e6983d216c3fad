"""One open wiki: the contract of a connector over ``changes`` and ``reader``."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import orjson
from pydantic import BaseModel
from yarl import URL

from services.common.errors import Stop
from services.common.http import HttpOptions, opened
from services.common.model import Access, AccessKind, Account, Container, Method, Visibility
from services.ingest.connector import Batch, Connector, Tools
from services.ingest.connectors.mediawiki.api import WikiApi
from services.ingest.connectors.mediawiki.changes import Change, Changes
from services.ingest.connectors.mediawiki.reader import Found, Reader
from services.ingest.connectors.mediawiki.settings import MediaWikiSettings
from services.ingest.connectors.mediawiki.site import Site, account, instant, second_of

ASK_AGAIN = timedelta(hours=1)


class MediaWiki:
    """A wiki as a source. All its pages share one container for access, since the wiki has one read right."""

    def __init__(self, settings: MediaWikiSettings, tools: Tools, api: WikiApi) -> None:
        self._settings = settings
        self._tools = tools
        self._api = api
        self._changes = Changes(api, settings.namespaces)
        self._known: tuple[datetime, Site] | None = None
        self._listed: tuple[datetime, Sequence[Account]] | None = None

    async def discover(self) -> Sequence[Container]:
        """Return the wiki."""
        return ((await self._site()).context(0)[0],)

    async def access(self, container: Container) -> Access:
        """Return what the settings say: the wiki itself does not know who is in the organisation."""
        restricted = self._settings.visibility == "restricted"
        return Access(
            id=container.id,
            kind=AccessKind.CONTAINER,
            visibility=Visibility.RESTRICTED if restricted else Visibility.PUBLIC,
            principals=self._settings.principals if restricted else (),
            name=container.name,
            url=container.url,
            source=self._tools.source,
            recorded=self._tools.clock(),
        )

    async def accounts(self) -> Sequence[Account]:
        """Return the wiki's users who have written something; a list of thousands is asked for once an hour."""
        if self._listed is None or self._is_old(self._listed[0]):
            site = await self._site()
            rows = self._api.rows("allusers", aulimit="max", auwitheditsonly="1")
            users = [account(site, {"user": row["name"], "userid": row["userid"]}) async for row in rows]
            self._listed = (self._tools.clock(), users)
        return self._listed[1]

    async def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        """Yield revisions and log entries, oldest first."""
        second = _second(cursor)
        async for found in self._read(self._changes.history(second), Method.BACKFILL):
            second = found.second
            yield _batch(found, second)
        yield Batch(cursor=_cursor(second), complete=True)

    async def live(self, cursor: str) -> AsyncIterator[Batch]:
        """Yield what changes, look after look; first what recent changes do not reach back to."""
        await self._site()
        second = _second(cursor) or await self._now()
        if not cursor:
            yield Batch(cursor=_cursor(second))
        elif not await self._reaches_back(second):
            older = self._changes.history(second - self._settings.overlap_seconds)
            async for found in self._read(older, Method.POLL):
                second = max(second, found.second)
                yield _batch(found, second)
        seen: dict[tuple[int, int], int] = {}
        while True:
            recent = self._unseen(second - self._settings.overlap_seconds, seen)
            async for found in self._read(recent, Method.POLL):
                second = max(second, found.second)
                yield _batch(found, second)
            await asyncio.sleep(self._settings.poll_seconds)

    async def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        """Yield the last hours again, from the revisions themselves: what was hidden or listed late shows there."""
        await self._site()
        since = await self._now() - self._settings.reconcile_hours * 3600
        async for found in self._read(self._changes.history(since), Method.RECONCILE):
            yield Batch(activities=found.activities, failures=found.failures)

    async def _read(self, changes: AsyncIterator[Change], method: Method) -> AsyncIterator[Found]:
        reader = Reader(await self._site(), self._api, self._settings.page_size)
        async for found in reader.found(changes, method):
            yield found

    async def _unseen(self, since: int, seen: dict[tuple[int, int], int]) -> AsyncIterator[Change]:
        """Recent changes but those of the last looks; forgets what lies before ``since``."""
        for key in [key for key, second in seen.items() if second < since]:
            del seen[key]
        async for change in self._changes.recent(since):
            key = (change.kind, change.number)
            if key not in seen:
                seen[key] = change.second
                yield change

    async def _reaches_back(self, second: int) -> bool:
        oldest = await self._changes.oldest_recent()
        return oldest is not None and oldest <= second

    async def _now(self) -> int:
        return second_of(instant(await self._api.time()))

    async def _site(self) -> Site:
        """What the wiki says of itself, with a session where one is needed; asked for again after an hour."""
        if self._settings.username:
            await self._api.log_in(self._settings.username, self._settings.password)
        if self._known is None or self._is_old(self._known[0]):
            self._known = (self._tools.clock(), await _site(self._settings, self._tools, self._api))
        return self._known[1]

    def _is_old(self, at: datetime) -> bool:
        return self._tools.clock() - at >= ASK_AGAIN


@asynccontextmanager
async def open_wiki(options: BaseModel, tools: Tools) -> AsyncIterator[Connector]:
    """Yield the wiki. Nothing is asked of it yet, so that one that is away holds up nobody else."""
    settings = MediaWikiSettings.model_validate(options)
    http_options = HttpOptions(
        requests=settings.requests_per_second,
        connections=1,  # the wikis' etiquette: one request at a time
        setting="password",
        cookies=bool(settings.username),
    )
    async with opened(tools.source, settings.url, http_options) as http:
        yield MediaWiki(settings, tools, WikiApi(tools.source, settings.url, http, settings.maxlag))


async def _site(settings: MediaWikiSettings, tools: Tools, api: WikiApi) -> Site:
    about = await api.query(meta="siteinfo", siprop="general|namespaces")
    if "general" not in about:
        raise Stop(f"source {tools.source}: {settings.url} is no MediaWiki API; check the setting 'url' of this source")
    bots = [row["userid"] async for row in api.rows("allusers", augroup="bot", aulimit="max")]
    return Site(
        source=tools.source,
        api_url=str(URL(settings.url).with_user(None)),  # readers see it; without a user there is no password either
        name=about["general"]["sitename"],
        namespaces={int(number): space["name"] for number, space in about["namespaces"].items()},
        visibility=Visibility.PUBLIC if settings.visibility == "public" else Visibility.RESTRICTED,
        mask=tools.mask,
        bots=frozenset(bots),
        longest=settings.longest,
    )


def _batch(found: Found, second: int) -> Batch:
    return Batch(activities=found.activities, failures=found.failures, cursor=_cursor(second))


def _cursor(second: int) -> str:
    return orjson.dumps({"second": second}).decode()


def _second(cursor: str) -> int:
    return int(orjson.loads(cursor)["second"]) if cursor else 0
