"""The runner of services: signals, exit codes, failing parts, and logs that tell no tales of people."""

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROLOGUE = """
import asyncio, signal, sys, os
from contextlib import asynccontextmanager
from services.common import logs, run
from services.common.errors import Retry, Stop, Reject
from services.common.settings import load

async def forever(name="part"):
    try:
        while True:
            await asyncio.sleep(0.01)
    finally:
        print("drained", name, flush=True)

async def fails(error):
    await asyncio.sleep(0.05)
    raise error

async def ends():
    await asyncio.sleep(0.05)

async def stubborn():
    print("running", flush=True)
    while True:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            print("no", flush=True)

def service_of(*parts, start=0.0):
    @asynccontextmanager
    async def service(settings):
        await asyncio.sleep(start)
        print("up", flush=True)
        yield [part() for part in parts]
        print("down", flush=True)
    return service
"""


class Process:
    """A service in a process of its own."""

    def __init__(self, folder: Path, body: str) -> None:
        script = folder / "service.py"
        script.write_text(PROLOGUE + textwrap.dedent(body))
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])},
        )

    def until(self, line: str) -> None:
        assert self.process.stdout
        for said in self.process.stdout:
            if said.strip() == line:
                return
        raise AssertionError(f"it never said {line}: {self.process.communicate()[1]}")

    def end(self) -> tuple[int, str, list[dict[str, Any]]]:
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, [json.loads(line) for line in err.splitlines()]


Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return lambda body: Process(tmp_path, body)


RUN = "run.main('thing', service_of({}), load())"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_the_parts_and_ends_well(start: Start, sent: signal.Signals) -> None:
    process = start(RUN.format("lambda: forever('a'), lambda: forever('b')"))
    process.until("up")
    process.process.send_signal(sent)
    code, out, log = process.end()
    assert code == 0
    assert out.split("\n")[:3] == ["drained a", "drained b", "down"]
    assert [line["event"] for line in log] == ["started", "ended"]
    assert {line["service"] for line in log} == {"thing"}


@pytest.mark.parametrize(
    ("error", "code", "event"),
    [
        ("Stop('mend it')", 1, "stopped"),
        ("Retry('not there')", 75, "cannot go on for now"),
        ("ValueError('Ann said something')", 70, "failed by a mistake of ours"),
        ("ExceptionGroup('x', [ValueError('Ann'), Retry('not there')])", 75, "cannot go on for now"),
        ("ExceptionGroup('x', [Retry('r'), ExceptionGroup('y', [Stop('s')])])", 1, "stopped"),
    ],
)
def test_a_failing_part_ends_the_others_and_its_error_is_the_exit_code(
    start: Start, error: str, code: int, event: str
) -> None:
    got, out, log = start(RUN.format(f"lambda: fails({error}), lambda: forever('b')")).end()
    assert got == code
    assert "drained b" in out
    assert log[-1]["event"] == event
    assert "Ann" not in json.dumps(log)


def test_an_error_while_starting_has_the_same_codes(start: Start) -> None:
    code, _, log = start(
        """
        @asynccontextmanager
        async def service(settings):
            raise Retry("no Kafka")
            yield []
        run.main("thing", service, load())
        """
    ).end()
    assert (code, log[-1]["reason"]) == (75, "no Kafka")


def test_a_part_that_ends_by_itself_is_a_mistake(start: Start) -> None:
    code, _, log = start(RUN.format("ends, forever")).end()
    assert code == 1
    assert "ended by itself" in log[-1]["reason"]


def test_a_part_that_fails_while_it_is_ended_is_not_hidden(start: Start) -> None:
    process = start(
        """
        async def fails_late():
            try:
                await asyncio.sleep(60)
            finally:
                raise Retry("could not commit")
        run.main("thing", service_of(fails_late), load())
        """
    )
    process.until("up")
    process.process.terminate()
    code, _, log = process.end()
    assert (code, log[-1]["reason"]) == (75, "could not commit")


def test_a_signal_while_starting_gives_up_the_start(start: Start) -> None:
    process = start(
        """
        print("starting", flush=True)
        @asynccontextmanager
        async def service(settings):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
            yield []
        run.main("thing", service, load())
        """
    )
    code, _, log = process.end()
    assert (code, log[-1]["event"]) == (0, "ended before it had started")


def test_a_second_signal_ends_what_does_not_want_to(start: Start) -> None:
    process = start(RUN.format("stubborn"))
    process.until("running")
    process.process.terminate()
    process.until("no")
    process.process.terminate()
    assert process.end()[0] == 75


def test_the_log_of_a_failure_says_where_and_not_what_people_wrote(start: Start) -> None:
    _, _, log = start(
        """
        async def reads():
            text = "Ann's secret"
            try:
                int(text)
            except ValueError as error:
                raise KeyError(text) from error
        run.main("thing", service_of(reads), load())
        """
    ).end()
    said = json.dumps(log)
    assert "secret" not in said
    assert "KeyError" in said
    assert "ValueError" in said
    assert "service.py" in said


def test_a_library_that_repeats_itself_is_heard_once(start: Start) -> None:
    _, _, log = start(
        """
        import logging
        async def noise():
            for n in range(100):
                logging.getLogger("aiokafka.client").error("Unable connect to node with id %s", n)
                logging.getLogger("other").warning("other %s", n)
            raise Retry("enough")
        run.main("thing", service_of(noise), load())
        """
    ).end()
    events = [line["event"] for line in log]
    assert len([event for event in events if event.startswith("Unable")]) == 1
    assert len([event for event in events if event.startswith("other")]) == 100


def test_a_port_that_is_taken_stops_with_what_to_do(start: Start) -> None:
    code, _, log = start(
        """
        from aiohttp import web
        import socket
        taken = socket.create_server(("127.0.0.1", 0))
        @asynccontextmanager
        async def service(settings):
            async with run.serving(web.Application(), "127.0.0.1", taken.getsockname()[1]):
                yield [forever()]
        run.main("thing", service, load())
        """
    ).end()
    assert code == 1
    assert "choose another port" in log[-1]["reason"]
