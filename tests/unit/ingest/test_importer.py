"""A file is read in order, whoever prepares its lines; what is wrong in it is named, and nothing in it fills memory."""

import asyncio
import gzip
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from services.common.errors import Retry, Stop
from services.common.lines import LONGEST_LINE
from services.common.model import Account
from services.common.topics import ACCOUNT, ACTIVITY, CURSOR, DEADLETTER
from services.ingest import helpers, importer
from services.ingest.connector import Batch
from services.ingest.helpers import Helper, work
from services.ingest.importer import Progress, import_file
from services.ingest.prepare import Line, Lines, prepare_lines
from tests.e2e.load import activity
from tests.unit.ingest.fakes import START, Ground, ground


def lines(*numbers: int) -> bytes:
    return b"".join(json.dumps(activity(number)).encode() + b"\n" for number in numbers)


async def imported(base: Ground, path: Path, **more: Any) -> Progress:
    return await import_file(str(path), "import", base.intake, base.cursors, **more)


async def keys(base: Ground) -> list[str]:
    return [one.key for one in base.publisher.order if one.topic.endswith(ACTIVITY.suffix)]


async def test_lines_are_published_in_order_and_the_last_is_remembered(tmp_path: Path) -> None:
    base, path = await ground(), tmp_path / "some"
    path.write_bytes(lines(*range(10)) + b"\n" + lines(10).rstrip())
    done = await imported(base, path)
    assert (done.read, done.published, done.rejected) == (12, 11, 0)
    assert await keys(base) == [f"load:chat:{number}" for number in range(11)]
    assert base.publisher.order[-1].topic.endswith(CURSOR.suffix)
    again = await imported(await ground(base.bus), path)
    assert (again.published, again.skipped) == (0, 12)


async def test_people_with_a_handle_are_told_of_once_and_connectors_know_better(tmp_path: Path) -> None:
    base, path = await ground(), tmp_path / "some"
    people = [("a", "ann"), ("b", "bob"), ("a", "ann"), ("c", "")]
    for number, (account, handle) in enumerate(people):
        line = activity(number) | {"actor": {"id": account, "name": account.upper(), "handle": handle}}
        with path.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
    known = Account(id="b", name="Bob of the chat", handle="robert")
    await base.intake.take("chat", Batch(accounts=[known]))
    await imported(base, path)
    said = [(one["account"], one["handle"], one["person"]) for one in await base.log.values(ACCOUNT)]
    assert sorted(said) == [("a", "ann", "a"), ("b", "robert", "b")]
    order = [one.topic.rpartition(".v1")[0].rpartition(".")[2] for one in base.publisher.order]
    assert order.index("account", 1) < order.index("activity")


async def test_batches_that_are_prepared_out_of_turn_are_published_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, path = await ground(), tmp_path / "some"
    path.write_bytes(lines(*range(30)))
    first = asyncio.Event()

    async def slow_first(given: Sequence[Line], source: str) -> Lines:
        if given[0][0] == 1:
            await first.wait()
        elif given[0][0] > 6:
            first.set()
        return prepare_lines(given, source, START)

    monkeypatch.setattr(importer, "_LINES", 3)
    batches = importer._batches(BytesIO(path.read_bytes()), 0)
    found = [one async for one in importer._ahead(batches, lambda given: slow_first(given, "import"), 4)]
    assert [one.last for one in found] == list(range(3, 31, 3))
    for one in found:
        await base.intake.take_prepared("import", one.prepared, [])
    assert await keys(base) == [f"load:chat:{number}" for number in range(30)]


async def test_a_file_that_has_grown_is_gone_on_with(tmp_path: Path) -> None:
    base, path = await ground(), tmp_path / "some"
    path.write_bytes(lines(*range(400)))
    await imported(base, path)
    with path.open("ab") as more:
        more.write(lines(400, 401))
    done = await imported(base, path)
    assert (done.skipped, done.published) == (400, 2)


async def test_a_line_without_end_is_put_aside_by_its_beginning(tmp_path: Path) -> None:
    base, path = await ground(), tmp_path / "some"
    path.write_bytes(lines(1) + b'{"id": "' + b"x" * (3 * LONGEST_LINE) + b'"}\n' + lines(2))
    done = await imported(base, path)
    assert (done.read, done.published, done.rejected) == (3, 2, 1)
    assert done.mistakes == [f"line 2: it is longer than the {LONGEST_LINE} bytes that a line may have"]
    [letter] = await base.log.values(DEADLETTER)
    assert letter["value"] is None, "by reference: it is larger than a record may be"


async def test_long_lines_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "_BYTES", 1_000)
    given = BytesIO(b"".join(b"x" * 400 + b"\n" for _ in range(10)))
    sizes = [len(batch) async for batch in importer._batches(given, 0)]
    assert sizes == [3, 3, 3, 1]


@pytest.mark.parametrize("cut", [5, 100, 400])
async def test_a_broken_gzip_gives_what_was_whole_and_says_so(tmp_path: Path, cut: int) -> None:
    base, path = await ground(), tmp_path / "some.gz"
    packed = gzip.compress(lines(*range(1_000)))
    path.write_bytes(packed[: len(packed) * cut // 1000] + b"\xff" * 20)
    with pytest.raises(Stop, match="broken"):
        await imported(base, path)


@pytest.mark.parametrize(("size", "some"), [(0, False), (1_000_000, False), (50_000_000, True)])
def test_helpers_are_started_for_large_files_only(size: int, some: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert bool(helpers.useful(size)) == some
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert helpers.useful(size) == 0


async def test_a_helper_answers_as_we_would_and_ends_with_us() -> None:
    numbered = list(enumerate(lines(1, 2).splitlines(keepends=True), 1))
    helper = await Helper.start("import")
    answers = [await helper.prepare(numbered), await helper.prepare([(3, b"{nonsense")])]
    await helper.stop()
    ours = prepare_lines(numbered, "import", START)
    said = [(one.key, one.headers, one.place) for one in answers[0].prepared.records]
    assert said == [(one.key, one.headers, one.place) for one in ours.prepared.records]
    assert answers[1].wrong[0][1].startswith("line 3: not JSON")
    assert helper._process.returncode is not None


async def test_a_helper_that_has_died_is_worth_another_import() -> None:
    helper = await Helper.start("import")
    helper._process.kill()
    await helper._process.wait()
    with pytest.raises(Retry, match="import the file again"):
        await helper.prepare([(1, b"{}")])
    await helper.stop()


def test_a_helper_ends_when_its_input_does() -> None:
    answers = BytesIO()
    work(BytesIO(b""), answers, "import")
    assert answers.getvalue() == b""
