"""`watercooler import` on real Kafka, as it is run: whole files, wrong lines, the end in the middle by kill -9."""

import asyncio
import gzip
import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.common.topics import ACCESS, ACTIVITY, DEADLETTER
from tests.e2e.load import activity, write
from tests.fixtures.stack import Stack, eventually
from tests.integration.ingest.conftest import Log

pytestmark = pytest.mark.integration

COUNT = 60_000
OTHERS = 30


def run(stack: Stack, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "error", "-m", "services", "import", *arguments]
    return subprocess.run(command, env=stack.environ, cwd=stack.folder, capture_output=True, input=given, check=False)


def file(folder: Path, *records: Any, name: str = "some.jsonl") -> str:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in records]
    (folder / name).write_bytes(b"\n".join(lines) + b"\n")
    return str(folder / name)


@pytest.mark.may_block("a large file is written, and processes are looked for")
async def test_a_killed_import_goes_on_and_loses_nothing(stack: Stack, log: Log) -> None:
    path = str(write(stack.folder / "many.jsonl.gz", COUNT))
    seen: list[int] = []
    for least in (1, COUNT // 2):
        importing = begun(stack, path)
        await eventually(lambda least=least: at_least(log, least), what=f"{least} are in", pause=0.02)  # type: ignore[misc]
        seen.append(len(helping(stack)))
        importing.send_signal(signal.SIGKILL)
        assert importing.wait() == -signal.SIGKILL, "it was to be killed in the middle; make the file larger"
    assert len(set(await log.ids())) < COUNT
    await eventually(lambda: not helping(stack), what="what helped the killed one has ended by itself", pause=0.1)
    assert max(seen) > 0, "the file was large enough for helpers"
    done = await asyncio.to_thread(run, stack, path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["skipped"] > 0, "it went on where it had been"
    assert set(await log.ids()) == {activity(number)["id"] for number in range(COUNT)}


def helping(stack: Stack) -> list[psutil.Process]:
    """Processes that prepare lines for an import of this test."""
    prefix = stack.environ["WATERCOOLER_TOPIC_PREFIX"]
    return [one for one in psutil.process_iter() if is_helper(one, prefix)]


def is_helper(process: psutil.Process, prefix: str) -> bool:
    try:
        return (
            "services.ingest.helpers" in process.cmdline()
            and process.environ().get("WATERCOOLER_TOPIC_PREFIX") == prefix
        )
    except psutil.Error:
        return False


def begun(stack: Stack, path: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "services", "import", path], env=stack.environ, cwd=stack.folder)


async def at_least(log: Log, count: int) -> bool:
    reader = await log.bus.reader()
    try:
        bounds = await reader.bounds(ACTIVITY.name(log.bus.prefix))
        return sum(end - first for first, end in bounds.values()) >= count
    finally:
        await reader.stop()


async def test_wrong_lines_are_named_and_kept_and_the_rest_goes_on(stack: Stack, log: Log) -> None:
    late = activity(2) | {"published": "2023-13-01"}
    nameless = activity(4) | {"object": {"type": "Note"}}
    good = [activity(100 + number) for number in range(OTHERS)]
    path = file(stack.folder, activity(1), late, b"{nonsense", nameless, b"", *good)
    done = await asyncio.to_thread(run, stack, path)
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert "line 2: published '2023-13-01' is not an RFC 3339 time" in said
    assert "line 3: not JSON" in said
    assert "line 4: object.id is missing" in said
    assert len(await log.ids()) == 1 + OTHERS
    letters = await log.values(DEADLETTER)
    assert sorted(letter["key"] for letter in letters) == [b"line 2", b"line 3", b"line 4"]
    assert b"{nonsense\n" in [letter["value"] for letter in letters]
    again = await asyncio.to_thread(run, stack, path, "--json")
    assert json.loads(again.stdout) == {"published": 0, "rejected": 0, "skipped": OTHERS + 5}


async def test_gzip_plain_and_standard_input_give_the_same(stack: Stack, log: Log) -> None:
    records = [activity(number) for number in range(OTHERS)]
    plain = file(stack.folder, *records)
    packed, content = packed_copy(plain)
    for arguments, given in (((plain,), None), ((packed,), None), (("-",), content)):
        done = await asyncio.to_thread(run, stack, *arguments, given=given)
        assert done.returncode == 0, done.stderr
    assert set(Counter(await log.ids()).values()) == {3}
    prints = {dict(one.headers)["fingerprint"] for one in await log.records(ACTIVITY)}
    assert len(prints) == OTHERS, "each of the three said the same"


def packed_copy(path: str) -> tuple[str, bytes]:
    content = Path(path).read_bytes()
    Path(f"{path}.gz").write_bytes(gzip.compress(content))
    return f"{path}.gz", content


async def test_a_container_is_opened_before_its_first_activity_and_only_by_public(stack: Stack, log: Log) -> None:
    closed = activity(1) | {"audience": {"visibility": "RESTRICTED"}, "context": [{"id": "c:board", "type": "Channel"}]}
    path = file(stack.folder, activity(0), closed)
    assert (await asyncio.to_thread(run, stack, path)).returncode == 0
    found = {one["id"]: one["visibility"] for one in await log.values(ACCESS)}
    assert found == {"load:channel:0": "PUBLIC", "c:board": "UNKNOWN"}
    opened = [record.timestamp for record in await log.records(ACCESS)]
    told = [record.timestamp for record in await log.records(ACTIVITY)]
    assert max(opened) <= min(told)


async def test_a_deleted_object_is_withdrawn_before_the_deletion_is_told(stack: Stack, log: Log) -> None:
    note = activity(0)
    gone = note | {
        "id": "load:gone",
        "type": "Delete",
        "verb": "chat.delete",
        "published": "2026-01-02T00:00:00Z",
        "object": {"id": note["object"]["id"], "type": "Tombstone"},
        "withdraws": ["*"],
    }
    done = await asyncio.to_thread(run, stack, file(stack.folder, note, gone))
    assert done.returncode == 0, done.stderr
    record = next(one for one in await log.values(ACCESS) if one["kind"] == "OBJECT")
    assert (record["id"], list(record["withdrawn"])) == (note["object"]["id"], ["*"])
    assert record["order"] == 1767312000_000000


BAD = {
    "a file that is not there": (("nowhere.jsonl",), None, "cannot be read"),
    "a folder": ((".",), None, "cannot be read"),
    "a broken gzip": (("broken.gz",), None, "broken"),
    "no file named": ((), None, "Missing argument"),
    "something else entirely": (("-",), b"not json\n" * 200, "in a row could not be processed"),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_input_ends_with_one_sentence(what: str, stack: Stack, log: Log) -> None:
    arguments, given, words = BAD[what]
    (stack.folder / "broken.gz").write_bytes(gzip.compress(json.dumps(activity(1)).encode() * 1000)[:200])
    done = await asyncio.to_thread(run, stack, *arguments, given=given)
    said = done.stderr.decode()
    assert done.returncode in (1, 2), said
    assert words in said
    assert "Traceback" not in said


async def test_without_kafka_it_says_so(stack: Stack) -> None:
    stack.environ["WATERCOOLER_KAFKA"] = "127.0.0.1:1"
    done = await asyncio.to_thread(run, stack, file(stack.folder, activity(0)))
    assert done.returncode != 0
    assert "127.0.0.1:1" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


async def test_nothing_of_it_is_only_in_memory(stack: Stack, log: Log) -> None:
    """The position is in Kafka: an import on another machine goes on as well."""
    path = file(stack.folder, activity(0))
    assert (await asyncio.to_thread(run, stack, path)).returncode == 0
    stack.environ["WATERCOOLER_STATE"] = str(stack.folder / "another machine")
    done = await asyncio.to_thread(run, stack, path, "--json")
    assert json.loads(done.stdout) == {"published": 0, "rejected": 0, "skipped": 1}
    restarted = await asyncio.to_thread(run, stack, path, "--json", "--restart")
    assert json.loads(restarted.stdout) == {"published": 1, "rejected": 0, "skipped": 0}
