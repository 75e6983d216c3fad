"""Fetch pinned files: several at once, resumed after an interruption, tried again, never half-written."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from services.common.errors import Stop
from services.standalone.items import DamagedError, Item, settle, write

ATTEMPTS = 5
PARALLEL = 6
CHUNK = 1 << 18
UNREACHABLE = (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)


class Progress(Protocol):
    """Told how a download goes, in bytes."""

    def begin(self, what: str, total: int) -> None:
        """`what` starts and has `total` bytes in all."""

    def advance(self, what: str, count: int) -> None:
        """`count` more bytes of `what` are there; negative when some turned out damaged."""

    def finish(self, what: str) -> None:
        """`what` is complete."""


class NoRangesError(Exception):
    """The repository sends whole files only."""


class Fetcher:
    """Fetches items from the first repository that has them."""

    def __init__(
        self, session: aiohttp.ClientSession, repositories: Sequence[str], progress: Progress, pause: float
    ) -> None:
        self._session = session
        self._repositories = repositories
        self._progress = progress
        self._pause = pause  # seconds before the second attempt, doubled each time

    async def fetch(self, what: str, items: Sequence[Item], folder: Path) -> None:
        """Put every missing item into `folder`. Stop when one cannot be had or arrives damaged twice."""
        missing = [item for item in items if item.missing(folder)]
        if not missing:
            return
        self._progress.begin(what, sum(item.transfer for item in missing))
        (folder / ".parts").mkdir(parents=True, exist_ok=True)
        try:
            await self._fetch_side_by_side(what, missing, folder)
        except NoRangesError:
            await self._cut_from_stream(what, [item for item in missing if item.missing(folder)], folder)
        self._progress.finish(what)

    async def _fetch_side_by_side(self, what: str, items: Sequence[Item], folder: Path) -> None:
        gate = asyncio.Semaphore(PARALLEL)

        async def one(item: Item) -> None:
            async with gate:
                await self._have(what, item, folder)

        try:
            async with asyncio.TaskGroup() as group:
                for item in items:
                    group.create_task(one(item))
        except ExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None  # the others were cancelled, or say the same

    async def _have(self, what: str, item: Item, folder: Path) -> None:
        for _ in range(2):
            await self._download(what, item, item.part(folder))
            try:
                return await asyncio.to_thread(settle, item, folder)
            except DamagedError:
                self._progress.advance(what, -item.transfer)
        raise Stop(
            f"{item.name} arrived damaged twice: its checksum is not the pinned one. "
            "Nothing of it was kept; check the network or the mirror, and start again."
        )

    async def _download(self, what: str, item: Item, part: Path) -> None:
        self._progress.advance(what, _kept(part))
        reason: str | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._pause * 2 ** (attempt - 1))
            reason = None
            for repository in self._repositories:
                try:
                    if await self._transfer(what, item, part, repository):
                        return
                except UNREACHABLE as error:
                    reason = str(error) or type(error).__name__
            if reason is None:
                break
        raise self._unavailable(item.path, reason or "not found there")

    async def _transfer(self, what: str, item: Item, part: Path, repository: str) -> bool:
        """Fetch what is missing of the item; False when the repository does not have it."""
        kept = _kept(part)
        if kept >= item.transfer:
            return True
        headers = {}
        if item.offset is not None or kept:
            first = item.offset or 0
            headers["Range"] = f"bytes={first + kept}-{first + item.transfer - 1}"
        async with self._session.get(f"{repository}/{item.path}", headers=headers) as response:
            if response.status == 404:
                return False
            response.raise_for_status()
            if response.status != 206:
                if item.offset is not None:
                    raise NoRangesError
                self._progress.advance(what, -kept)
                kept = 0
            with part.open("ab" if kept else "wb") as file:
                async for block in response.content.iter_chunked(CHUNK):
                    write(file.write, block, part)
                    self._progress.advance(what, len(block))
        if _kept(part) < item.transfer:
            raise aiohttp.ClientPayloadError("the connection ended early")
        return True

    async def _cut_from_stream(self, what: str, items: Sequence[Item], folder: Path) -> None:
        """Read each archive once from its start and keep the parts wanted: for repositories without ranges."""
        for path in sorted({item.path for item in items}):
            wanted = sorted((item for item in items if item.path == path), key=lambda item: item.offset or 0)
            try:
                async with self._session.get(f"{self._repositories[0]}/{path}") as response:
                    response.raise_for_status()
                    await self._cut(what, wanted, response.content, folder)
            except UNREACHABLE as error:
                raise self._unavailable(path, str(error) or type(error).__name__) from error

    async def _cut(self, what: str, wanted: Sequence[Item], stream: aiohttp.StreamReader, folder: Path) -> None:
        at = 0
        for item in wanted:
            start = item.offset or 0
            await _skip(stream, start - at)
            part = item.part(folder)
            write(part.write_bytes, await stream.readexactly(item.transfer), part)
            at = start + item.transfer
            try:
                await asyncio.to_thread(settle, item, folder)
            except DamagedError:
                raise Stop(f"{item.name} arrived damaged: check the network or the mirror, and start again.") from None
            self._progress.advance(what, item.transfer)

    def _unavailable(self, path: str, reason: str) -> Stop:
        hosts = ", ".join(urlsplit(repository).hostname or repository for repository in self._repositories)
        return Stop(
            f"{path.rpartition('/')[2]} could not be fetched from {hosts} ({reason}): check the network or the proxy, "
            "and start again; what has arrived is kept."
        )


def _kept(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


async def _skip(stream: aiohttp.StreamReader, count: int) -> None:
    while count > 0:
        count -= len(await stream.readexactly(min(count, CHUNK)))


@asynccontextmanager
async def fetcher(repositories: Sequence[str], progress: Progress, pause: float = 1.0) -> AsyncIterator[Fetcher]:
    """A fetcher with a session of its own; proxies of the environment are used."""
    # A part is counted in bytes of the file: the answer must not be encoded once more.
    async with aiohttp.ClientSession(
        timeout=_TIMEOUT,
        trust_env=True,
        auto_decompress=False,
        connector=aiohttp.TCPConnector(limit=PARALLEL),
        headers={"Accept-Encoding": "identity"},
    ) as session:
        yield Fetcher(session, repositories, progress, pause)
