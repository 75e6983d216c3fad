"""`watercooler up` as a person runs it: a second one, a busy port, a crash of a service, kill -9, down."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.standalone import lock, ports
from services.standalone.parts import Part, State, load

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

COMMAND = [sys.executable, "-m", "services"]
PORTS = ("KAFKA", "ELASTICSEARCH", "GATEWAY", "INGEST", "ENRICH", "SCORE", "INDEX")


class Up:
    """One `up` in a folder of its own, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("WATERCOOLER_")}
        if cache := os.environ.get("WATERCOOLER_CACHE"):
            self.environ["WATERCOOLER_CACHE"] = cache
        self.environ |= {f"WATERCOOLER_{name}_PORT": str(ports.free()) for name in PORTS}
        self.environ["PYTHONPATH"] = str(Path(__file__).parents[3])
        self.process: subprocess.Popen[str] | None = None

    @property
    def state(self) -> Path:
        return self.folder / ".watercooler"

    def start(self, *options: str) -> None:
        with (self.folder / "up.txt").open("w") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "up", *options],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    def said(self) -> str:
        return (self.folder / "up.txt").read_text()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def parts(self) -> dict[str, Part]:
        """What `status` would show; read from its file, since asking often costs a process each time."""
        return {part.name: part for part in load(self.state).parts}

    def pids(self) -> list[int]:
        """Every process of this folder: those that name it in their environment."""
        mark = f"WATERCOOLER_STATE={self.state}".encode()
        kafka = str(self.state).encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environ, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
            except OSError:
                continue  # it has ended meanwhile
            if (mark in environ or kafka in command) and command:
                found.append(int(process.name))
        return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """An `up` that is not started yet; whatever of it is left is ended after the test."""
    one = Up(tmp_path)
    yield one
    if one.process is not None:
        one.process.kill()
        one.process.wait()
    eventually(lambda: not one.pids(), "nothing is left")


def eventually(condition: Callable[[], object], what: str, seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def running(up: Up, *names: str) -> bool:
    if lock.holder(up.state) is None or not (up.state / "status.json").exists():
        assert up.process is None or up.process.poll() is None, up.said()
        return False
    parts = up.parts()
    return all(parts[name].state is State.RUNNING for name in names)


def test_everything_comes_up_says_so_and_goes_down_without_a_trace(up: Up) -> None:
    assert up.run("status").returncode == 3
    up.start()
    eventually(lambda: "ready; stop with" in up.said(), f"ready: {up.state}")
    assert f"open http://127.0.0.1:{up.environ['WATERCOOLER_GATEWAY_PORT']}" in up.said()
    shown = json.loads(up.run("status", "--json").stdout)
    assert {part["state"] for part in shown["parts"]} == {"running"}
    assert len(up.pids()) >= 7

    second = up.run("up")
    assert second.returncode == 1
    assert f"already runs on {up.state} (process {lock.holder(up.state)})" in second.stderr

    assert up.run("down").stdout == "Stopped.\n"
    assert up.process is not None
    assert up.process.wait(10) == 0
    assert up.pids() == []
    assert up.said().rstrip().endswith("Kafka: stopped")
    assert up.run("down").stdout.startswith("Nothing runs on")


def test_a_service_that_dies_is_started_again(up: Up) -> None:
    up.start()
    eventually(lambda: running(up, "ingest"), "ingest runs")
    before = up.parts()["ingest"].pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    eventually(lambda: running(up, "ingest") and up.parts()["ingest"].pid != before, "ingest runs again")
    assert up.parts()["ingest"].restarts == 1
    assert "ingest: restarting (in 1 s; was ended by signal 9" in up.said()


def test_a_killed_up_leaves_no_process_and_the_next_one_finds_the_data(up: Up) -> None:
    up.start()
    eventually(lambda: running(up, "Kafka", "Elasticsearch", "ingest"), "the servers run")
    cluster = (up.state / "kafka/data/meta.properties").read_text()
    assert up.process is not None
    up.process.kill()
    up.process.wait()
    eventually(lambda: not up.pids(), "nothing is left", 20)
    assert up.run("status").returncode == 3

    up.start()
    eventually(lambda: running(up, "Kafka", "Elasticsearch", "ingest"), "the servers run again")
    assert (up.state / "kafka/data/meta.properties").read_text() == cluster


@pytest.mark.parametrize(("port", "purpose"), [("KAFKA", "Kafka"), ("GATEWAY", "gateway")])
def test_a_busy_port_is_one_sentence(up: Up, port: str, purpose: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        up.environ[f"WATERCOOLER_{port}_PORT"] = str(number)
        done = up.run("up")
    assert done.returncode == 1
    assert done.stderr == (
        f"watercooler: Port {number} for {purpose} is used by another program: "
        f"stop that program, or set WATERCOOLER_{port}_PORT to another port.\n"
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"WATERCOOLER_JAVA_HOME": "/nowhere"}, "WATERCOOLER_JAVA_HOME=/nowhere holds no Java 21 or newer"),
        ({"WATERCOOLER_KAFKA": "127.0.0.1:1"}, "no Kafka could be reached at 127.0.0.1:1"),
        ({"WATERCOOLER_STATE": "/proc/nothing"}, "The data folder /proc/nothing cannot be written"),
        ({"WATERCOOLER_GATEWAY_PORT": "many"}, "gateway_port"),
    ],
)
def test_what_cannot_work_is_one_sentence(up: Up, wrong: dict[str, str], sentence: str) -> None:
    up.environ |= wrong
    done = up.run("up")
    assert done.returncode == 1
    assert done.stderr.startswith("watercooler: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_network_the_first_start_says_what_is_missing(up: Up) -> None:
    up.environ |= {"WATERCOOLER_CACHE": str(up.folder / "cache"), "WATERCOOLER_MAVEN": "http://127.0.0.1:1"}
    done = up.run("up")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "could not be fetched from 127.0.0.1" in done.stderr
    assert "check the network or the proxy, and start again; what has arrived is kept" in done.stderr


def test_data_of_another_version_is_refused(up: Up) -> None:
    up.state.mkdir()
    (up.state / "format.json").write_text('{"format": 99}')
    done = up.run("up")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "has format 99 and this version reads format 1" in done.stderr


def test_a_source_that_is_not_understood_is_refused(up: Up) -> None:
    done = up.run("up", "--source", "fax:123")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "--source fax:123 is not understood" in done.stderr
