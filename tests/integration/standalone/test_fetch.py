"""Downloads from a real HTTP server that is cut off, lies, or knows nothing of ranges."""

import hashlib
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from services.common.errors import Stop
from services.standalone import ports
from services.standalone.fetch import Fetcher, fetcher
from services.standalone.items import Item

CONTENT = bytes(range(256)) * 4000
TEXT = b"a sentence that packs well; " * 1000
PACKED = zlib.compress(TEXT, wbits=-zlib.MAX_WBITS)
ARCHIVE = b"x" * 700_000 + PACKED + b"y" * 100 + CONTENT + b"the end"

WHOLE = Item("a/whole.jar", "libs/whole.jar", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), len(CONTENT))
PARTS = (
    Item("b/big.zip", "text", hashlib.sha256(TEXT).hexdigest(), len(TEXT), len(PACKED), 700_000, deflated=True),
    Item(
        "b/big.zip",
        "raw/content",
        hashlib.sha256(CONTENT).hexdigest(),
        len(CONTENT),
        len(CONTENT),
        700_100 + len(PACKED),
    ),
)


class Repository:
    """Serves two files; every request is noted, and the next answers may be spoilt."""

    def __init__(self) -> None:
        self.files = {"a/whole.jar": CONTENT, "b/big.zip": ARCHIVE}
        self.asked: list[str | None] = []
        self.ranges = True
        self.cut_after: list[int] = []
        self.spoilt = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.asked.append(asked)
        content = self.files.get(request.match_info["path"])
        if content is None:
            raise web.HTTPNotFound
        headers, status = {}, 200
        if asked and self.ranges:
            first, last = map(int, asked.removeprefix("bytes=").split("-"))
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        if self.spoilt:
            self.spoilt -= 1
            content = b"?" + content[1:]
        response = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(content))})
        await response.prepare(request)
        if self.cut_after:
            await response.write(content[: self.cut_after.pop()])
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(content)
        return response


class Count:
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.finished = False

    def begin(self, what: str, total: int) -> None:
        self.total += total

    def advance(self, what: str, count: int) -> None:
        self.done += count

    def finish(self, what: str) -> None:
        self.finished = True


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@asynccontextmanager
async def fetching(repository: Repository) -> AsyncIterator[tuple[Fetcher, Count]]:
    app = web.Application()
    app.router.add_get("/maven/{path:.*}", repository.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, ports.HOST, 0).start()
    count = Count()
    try:
        async with fetcher([f"http://{ports.HOST}:{runner.addresses[0][1]}/maven"], count, pause=0.01) as fetch:
            yield fetch, count
    finally:
        await runner.cleanup()


async def test_whole_files_and_parts_of_archives_arrive_and_only_they_are_read(tmp_path: Path) -> None:
    repository = Repository()
    async with fetching(repository) as (fetch, count):
        await fetch.fetch("all", [WHOLE, *PARTS], tmp_path)
        await fetch.fetch("again", [WHOLE, *PARTS], tmp_path)
    assert (tmp_path / "libs/whole.jar").read_bytes() == CONTENT
    assert (tmp_path / "text").read_bytes() == TEXT
    assert (tmp_path / "raw/content").read_bytes() == CONTENT
    assert count.done == count.total == 2 * len(CONTENT) + len(PACKED)
    assert count.finished
    assert len(repository.asked) == 3, "the second time, nothing is asked for"


async def test_a_cut_connection_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    repository = Repository()
    repository.cut_after = [100_000, 300_000]
    async with fetching(repository) as (fetch, count):
        await fetch.fetch("all", [WHOLE], tmp_path)
    assert (tmp_path / "libs/whole.jar").read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0 for asked in repository.asked]
    assert starts == [0, 300_000, 400_000]
    assert count.done == count.total


async def test_what_an_earlier_run_had_is_kept(tmp_path: Path) -> None:
    repository = Repository()
    WHOLE.part(tmp_path).parent.mkdir()
    WHOLE.part(tmp_path).write_bytes(CONTENT[:900_000])
    async with fetching(repository) as (fetch, _):
        await fetch.fetch("all", [WHOLE], tmp_path)
    assert repository.asked == [f"bytes=900000-{len(CONTENT) - 1}"]
    assert (tmp_path / "libs/whole.jar").read_bytes() == CONTENT


async def test_a_damaged_file_is_fetched_once_more(tmp_path: Path) -> None:
    repository = Repository()
    repository.spoilt = 1
    async with fetching(repository) as (fetch, count):
        await fetch.fetch("all", [PARTS[0]], tmp_path)
    assert (tmp_path / "text").read_bytes() == TEXT
    assert count.done == count.total


async def test_a_file_damaged_twice_is_refused_and_nothing_of_it_kept(tmp_path: Path) -> None:
    repository = Repository()
    repository.spoilt = 2
    async with fetching(repository) as (fetch, _):
        with pytest.raises(Stop, match=r"libs/whole\.jar arrived damaged twice: its checksum is not the pinned one"):
            await fetch.fetch("all", [WHOLE], tmp_path)
    assert files_in(tmp_path) == []


async def test_without_ranges_the_archive_is_read_once_and_cut(tmp_path: Path) -> None:
    repository = Repository()
    repository.ranges = False
    async with fetching(repository) as (fetch, count):
        await fetch.fetch("all", [*PARTS], tmp_path)
    assert (tmp_path / "text").read_bytes() == TEXT
    assert (tmp_path / "raw/content").read_bytes() == CONTENT
    assert count.done == count.total
    assert repository.asked[-1] is None


async def test_a_file_that_no_repository_has_is_named(tmp_path: Path) -> None:
    nowhere = Item("c/none.jar", "none.jar", "00", 1, 1)
    async with fetching(Repository()) as (fetch, _):
        with pytest.raises(Stop, match=r"none\.jar could not be fetched from 127\.0\.0\.1 \(not found there\)"):
            await fetch.fetch("all", [nowhere], tmp_path)


async def test_an_unreachable_repository_is_named(tmp_path: Path) -> None:
    async with fetcher([f"http://{ports.HOST}:{ports.free()}"], Count(), pause=0.01) as fetch:
        with pytest.raises(Stop, match=r"check the network or the proxy, and start again; what has arrived is kept"):
            await fetch.fetch("all", [WHOLE], tmp_path)
