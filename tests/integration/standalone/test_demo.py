"""The demonstration data on its way into an import: whole, in order, and taken up again where it was stopped."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from services.standalone import demo, plan
from services.standalone.demo import Demo
from services.standalone.parts import Part, State
from tests.fixtures.stack import Stack, environment, eventually

_KEEP = """
import sys
given = sys.stdin.buffer if sys.argv[2] == "-" else open(sys.argv[2], "rb")
for line in given:
    open(sys.argv[1], "ab").write(line)
"""


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> plan.Plan:
    """A plan for a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return plan.make(tmp_path / "state", [])


def importer(kept: Path) -> list[str]:
    """An import that keeps what it is given in a file."""
    return [sys.executable, "-c", _KEEP, str(kept)]


async def test_all_of_it_arrives_once_and_in_order(planned: plan.Plan, tmp_path: Path) -> None:
    part = Part("demo", "")
    await Demo(planned, part, pace=0, importer=importer(tmp_path / "kept")).run()
    weeks = json.loads((planned.state / "demo.json").read_text())["weeks"]
    assert (tmp_path / "kept").read_bytes().splitlines(keepends=True) == demo.moved(demo.read(), weeks)
    assert (part.state, part.detail) == (State.STOPPED, "all of it is in: 11,043 activities")


async def test_what_was_stopped_goes_on_and_repeats_ten_at_most(planned: plan.Plan, tmp_path: Path) -> None:
    part = Part("demo", "")
    first = Demo(planned, part, pace=0.005, importer=importer(tmp_path / "kept"))
    task = asyncio.create_task(first.run())
    await eventually(lambda: part.detail.startswith("one a second: 25 "), what="25 are played", pause=0.001)
    task.cancel()
    await asyncio.wait([task])
    await first.stop()
    assert part.state is State.STOPPED
    note = json.loads((planned.state / "demo.json").read_text())
    assert note["played"] == 20

    await Demo(planned, part, pace=0, importer=importer(tmp_path / "kept")).run()
    kept = (tmp_path / "kept").read_bytes().splitlines()
    ids = [json.loads(line)["id"] for line in kept]
    assert len(set(ids)) == len({json.loads(line)["id"] for line in demo.read()})
    assert 0 < len(kept) - 11_043 <= 10
    assert json.loads((planned.state / "demo.json").read_text())["weeks"] == note["weeks"]


def test_it_is_moved_by_whole_weeks_to_end_within_one_of_the_first_start(planned: plan.Plan) -> None:
    began = datetime(2031, 5, 7, 12, tzinfo=UTC)
    for start in (began, began + timedelta(days=300)):  # a later start goes on with the times of the first one
        lines = Demo(planned, Part("demo", ""), clock=partial(datetime.fromisoformat, start.isoformat()))._read()
        then, last = (json.loads(one) for one in (demo.read()[-1], lines[-1]))
        at = datetime.fromisoformat(last["published"])
        assert timedelta() <= began - at < timedelta(weeks=1)
        assert (at - datetime.fromisoformat(then["published"])) % timedelta(weeks=1) == timedelta()
        assert then | {"published": last["published"]} == last


async def test_an_import_that_fails_is_said(planned: plan.Plan) -> None:
    part = Part("demo", "")
    task = asyncio.create_task(Demo(planned, part, importer=[sys.executable, "-c", "raise SystemExit(5)"]).run())
    await eventually(lambda: part.state is State.RESTARTING, what="the failure is said", pause=0.01)
    task.cancel()
    assert part.detail.startswith("in 10 s; ")
    assert json.loads((planned.state / "demo.json").read_text())["played"] == -1


async def test_a_line_on_a_slow_pipe_is_imported_at_once(kafka: str, tmp_path: Path) -> None:
    environ, _ = environment(kafka, "http://127.0.0.1:1", tmp_path)
    stack = Stack(tmp_path, environ, {})
    await asyncio.to_thread(stack.run, "topics", "apply")
    process = await asyncio.create_subprocess_exec(
        *demo.IMPORTER, "-", stdin=asyncio.subprocess.PIPE, env=environ, cwd=tmp_path
    )
    assert process.stdin is not None
    consumer = AIOKafkaConsumer(f"{stack.prefix}activity.v1", bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        for line in demo.read()[:2]:
            process.stdin.write(line)
            record = await asyncio.wait_for(consumer.getone(), 120)
            assert record.key == json.loads(line)["id"].encode()
    finally:
        await consumer.stop()
        process.stdin.close()
        assert await process.wait() == 0
