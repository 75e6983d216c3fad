"""One open repository: refs are compared with those of the last look, and what came, moved or went is told."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
from pydantic import BaseModel

from services.common.errors import Reject, Stop
from services.common.model import Access, AccessKind, Account, Activity, Container, Method
from services.ingest.connector import Batch, Connector, Failure, Tools, nothing
from services.ingest.connectors.git import parse
from services.ingest.connectors.git.command import Git
from services.ingest.connectors.git.settings import GitSettings

_BATCH = 500
_MOST_DROPPED = 5_000
"""Commits withdrawn after one rewriting of history, and remembered in case they come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The refs as they were seen, and the commits that had been dropped by then."""

    tips: Mapping[str, str] = field(default_factory=dict)
    dropped: Sequence[str] = ()

    @classmethod
    def of(cls, cursor: str) -> "Look":
        """Return the look that a cursor holds."""
        return cls(**orjson.loads(cursor)) if cursor else cls()

    def cursor(self) -> str:
        """Return it as a cursor."""
        return orjson.dumps({"tips": dict(self.tips), "dropped": list(self.dropped)}).decode()


class GitRepository:
    """A repository as a source."""

    def __init__(self, settings: GitSettings, tools: Tools, git: Git) -> None:
        self._settings = settings
        self._tools = tools
        self._git = git
        self._repository = parse.Repository(source=tools.source, settings=settings, mask=tools.mask)

    async def discover(self) -> Sequence[Container]:
        """Return the repository; raises Stop or Retry when it is none or does not answer."""
        await self._fetched()
        return (self._repository.container,)

    async def access(self, container: Container) -> Access:
        """Return what the settings say; git knows of no readers."""
        audience = self._repository.audience
        return Access(
            id=container.id,
            kind=AccessKind.CONTAINER,
            visibility=audience.visibility,
            principals=() if self._settings.visibility == "public" else self._settings.principals,
            name=container.name,
            url=container.url,
            source=self._tools.source,
        )

    async def accounts(self) -> Sequence[Account]:
        """Git lists no accounts; authors come with their commits."""
        return ()

    async def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        """Yield all commits, oldest first, and the tags."""
        await self._fetched()
        refs = await self._refs()
        async for batch in self._commits([ref.commit for ref in refs.values()], (), (), Method.BACKFILL):
            yield batch
        yield replace(self._tags(refs.values(), {}, Method.BACKFILL), complete=True)

    async def live(self, cursor: str) -> AsyncIterator[Batch]:
        """Yield what changes at the refs, look after look."""
        look = Look.of(cursor)
        if not cursor:
            look = Look(tips=_tips(await self._refs()))
            yield Batch(cursor=look.cursor())
        while True:
            await self._fetched()
            refs = await self._refs()
            if _tips(refs) != look.tips:
                async for batch in self._changes(look, refs):
                    yield batch
                look = Look(tips=_tips(refs), dropped=await self._still_dropped(look, refs))
                yield Batch(cursor=look.cursor())
            await asyncio.sleep(self._settings.poll_seconds)

    def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        """Each look compares all refs already, so there is nothing to look back for."""
        return nothing()

    async def _changes(self, look: Look, refs: Mapping[str, parse.Ref]) -> AsyncIterator[Batch]:
        now = self._tools.clock()
        moved = [ref for name, ref in refs.items() if look.tips.get(name) != ref.target]
        old = await self._known(look.tips.values())
        async for batch in self._commits([ref.commit for ref in moved], old, look.dropped, Method.POLL):
            yield batch
        yield self._tags(moved, look.tips, Method.POLL)
        told: list[Activity] = []
        for ref in moved:
            before = look.tips.get(ref.name, "")
            if (
                before
                and not ref.is_tag
                and not await self._git.succeeds("merge-base", "--is-ancestor", before, ref.commit)
            ):
                told.append(parse.forced(self._repository, ref, before, now))
        gone = {name: before for name, before in look.tips.items() if name not in refs}
        told += [parse.gone(self._repository, name, before, now) for name, before in gone.items()]
        dropped = [one for one in await self._dropped(look, refs) if one not in look.dropped]
        told += [parse.dropped(self._repository, sha, now) for sha in dropped]
        yield Batch(activities=told)

    async def _commits(
        self, new: Sequence[str], old: Iterable[str], dropped: Sequence[str], method: Method
    ) -> AsyncIterator[Batch]:
        """Yield the commits that ``new`` lead to and ``old`` do not, parents first."""
        asked = "".join(f"{sha}\n" for sha in new) + "".join(f"^{sha}\n" for sha in old)
        arguments = ("log", "--stdin", "--reverse", "--topo-order", "-z", "--name-only", f"--format={parse.LOG_FORMAT}")
        activities: list[Activity] = []
        failures: list[Failure] = []
        if new:
            async for entry in self._git.entries(*arguments, "--ignore-missing", asked=asked):
                try:
                    activities.append(self._commit(entry, dropped, method))
                except Reject as error:
                    failures.append(Failure(key=entry[:40], value=entry.encode(), error=error))
                if len(activities) >= _BATCH:
                    yield Batch(activities=activities, failures=failures)
                    activities, failures = [], []
        yield Batch(activities=activities, failures=failures)

    def _tags(self, refs: Iterable[parse.Ref], before: Mapping[str, str], method: Method) -> Batch:
        """Return the tags among refs, which were at ``before``; one that cannot be read stops none of the others."""
        told: list[Activity] = []
        failures: list[Failure] = []
        for ref in refs:
            try:
                told += [parse.tag(self._repository, ref, before.get(ref.name, ""), method)] if ref.is_tag else []
            except Reject as error:
                failures.append(Failure(key=ref.name, value=ref.target.encode(), error=error))
        return Batch(activities=told, failures=failures)

    def _commit(self, entry: str, dropped: Sequence[str], method: Method) -> Activity:
        found = parse.commit(self._repository, entry, method)
        return parse.again(found, self._tools.clock()) if found.object.version in dropped else found

    async def _dropped(self, look: Look, refs: Mapping[str, parse.Ref]) -> list[str]:
        """Return the commits that were on a ref at the last look and are on none now."""
        old = await self._known(look.tips.values())
        kept = "".join(f"^{ref.commit}\n" for ref in refs.values())
        asked = "".join(f"{sha}\n" for sha in old) + kept
        entries = self._git.entries("rev-list", "--stdin", f"--max-count={_MOST_DROPPED}", asked=asked)
        return [sha async for entry in entries for sha in entry.split()] if old else []

    async def _still_dropped(self, look: Look, refs: Mapping[str, parse.Ref]) -> list[str]:
        dropped = dict.fromkeys([*look.dropped, *await self._dropped(look, refs)])
        kept = await self._reached(dropped, refs)
        return [sha for sha in dropped if sha not in kept][-_MOST_DROPPED:]

    async def _reached(self, commits: Iterable[str], refs: Mapping[str, parse.Ref]) -> set[str]:
        """Return those of the commits that are on a ref (again)."""
        asked = "".join(f"{sha}\n" for sha in await self._known(commits))
        asked += "".join(f"^{ref.commit}\n" for ref in refs.values())
        entries = self._git.entries("rev-list", "--no-walk", "--stdin", asked=asked)
        unreached = {sha async for entry in entries for sha in entry.split()}
        return {sha for sha in commits if sha not in unreached}

    async def _known(self, commits: Iterable[str]) -> list[str]:
        """Return those that the repository (still) holds."""
        asked = "".join(f"{sha}^{{commit}}\n" for sha in dict.fromkeys(commits))
        entries = self._git.entries("cat-file", "--batch-check=%(objectname)", asked=asked)
        printed = [line async for entry in entries for line in entry.splitlines()]
        return [line for line in printed if not line.endswith("missing")]

    async def _refs(self) -> dict[str, parse.Ref]:
        printed = await self._git.run("for-each-ref", f"--format={parse.REF_FORMAT}", *self._settings.refs)
        return {ref.name: ref for ref in parse.refs(printed)}

    async def _fetched(self) -> None:
        """Bring a mirror up to date; a repository on this machine is read where it lies."""
        if not self._settings.remote:
            if not await self._git.succeeds("rev-parse", "--git-dir"):
                raise Stop(f"source {self._tools.source}: {self._settings.url} is not a git repository; set its url")
            return
        if not (self._git.folder / "HEAD").exists():
            await self._git.run("init", "--quiet", "--bare")
        await self._git.run(
            "fetch", "--quiet", "--prune", "--no-write-fetch-head", self._settings.url, "+refs/*:refs/*"
        )


def _tips(refs: Mapping[str, parse.Ref]) -> dict[str, str]:
    return {name: ref.target for name, ref in refs.items()}


@asynccontextmanager
async def open_repository(options: BaseModel, tools: Tools) -> AsyncIterator[Connector]:
    """Yield the repository, open."""
    assert isinstance(options, GitSettings)
    folder = await asyncio.to_thread(_folder, options, tools)
    yield GitRepository(options, tools, Git(tools.source, options, folder))


def _folder(options: GitSettings, tools: Tools) -> Path:
    """Where git runs: in the repository itself, or in a mirror of it."""
    if not options.remote:
        return Path(options.url).expanduser()
    mirror = tools.state / "mirror.git"
    mirror.mkdir(parents=True, exist_ok=True)
    return mirror
