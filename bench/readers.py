"""Readers of a live stream, as a process of their own: `python -m bench.readers PLAN`, PLAN being JSON of a ``Plan``.

Most only count, which is the least a client can do, so that it leaves the server its core. Some (``probes``) look at
how old what they are given is. Others (``careful``) are as a browser: they parse, come back with their last id,
and say at the end what they missed and what they were given twice; ``slow`` ones read little a second.
It says `connected`, then on standard input waits for `done`, and answers with JSON of a ``Report``.
"""

import asyncio
import json
import random
import re
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import cast

import uvloop

_NUMBER = re.compile(rb'"id":"bench:(\d+)')
_AT_ONCE = 50
_RECEIVE = 16 * 1024
"""Bytes that the system may hold for a slow reader: the rest has to wait at the server."""
_SLICE = 2_048


@dataclass
class Plan:
    """Whom to read. ``paths`` are taken in turn; numbers of events are from ``first`` to before ``first + events``."""

    ports: list[int]
    paths: list[str]
    readers: int = 0
    probes: int = 0
    careful: int = 0
    slow: int = 0
    cuts: float = 0.0
    """Careful readers that are cut, a second, all together."""
    first: int = 0
    events: int = 0
    patience: float = 60.0


@dataclass
class Report:
    """What was seen. Ages are in ms; ``missing`` and ``doubled`` are of careful readers, over all of them."""

    deliveries: int = 0
    p50: float = 0.0
    p99: float = 0.0
    missing: int = 0
    doubled: int = 0
    came_back: int = 0
    ages: list[float] = field(default_factory=list, repr=False)


class Crowd:
    """All readers of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.report = Report()
        self.connected = 0
        self.done = asyncio.Event()
        self.cut: set[asyncio.StreamWriter] = set()

    def request(self, number: int, port: int, last: str = "") -> bytes:
        """Return what a reader sends."""
        path = self.plan.paths[number % len(self.plan.paths)]
        more = f"Last-Event-ID: {last}\r\n" if last else ""
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n{more}\r\n".encode()


class Counting(asyncio.Protocol):
    """Asks for the stream and counts events; one that is cut between two reads is counted with its second half."""

    def __init__(self, crowd: Crowd, number: int, *, probe: bool) -> None:
        self._crowd = crowd
        self._number = number
        self._probe = probe
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        port = self._crowd.plan.ports[self._number % len(self._crowd.plan.ports)]
        cast(asyncio.Transport, transport).write(self._crowd.request(self._number, port))  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        """Count."""
        if not self._tail:
            self._crowd.connected += 1
        self._crowd.report.deliveries += (self._tail[-6:] + data).count(b"\ndata: ")
        if self._probe:
            self._look(data)
        self._tail = data[-6:] if not self._probe else self._tail or b" "

    def _look(self, data: bytes) -> None:
        now = time.time()
        for part in data.split(b'"recorded":"')[1:]:
            at = datetime.fromisoformat(part[: part.index(b'"')].decode())
            self._crowd.report.ages.append((now - at.timestamp()) * 1_000)


async def careful(crowd: Crowd, number: int, seen: Counter[int], *, slow: bool) -> None:
    """Read as a browser does, until all is there that may come; counts in ``seen`` how often each number came."""
    draw, last, plan = random.Random(number), "", crowd.plan
    first = True
    while not (crowd.done.is_set() and len(seen) >= plan.events):
        port = draw.choice(plan.ports)
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await _connect(port, slow=slow)
            writer.write(crowd.request(number, port, last))
            if b" 200 " not in await reader.readline():
                writer.close()
                raise ConnectionRefusedError
            crowd.cut.add(writer)
            try:
                async for id_, event in _events(reader, crowd.done, slow=slow):
                    last = id_ or last
                    if first and last:
                        first = False
                        crowd.connected += 1
                    if event is not None:
                        seen[event] += 1
                    if crowd.done.is_set() and len(seen) >= plan.events:
                        break
            finally:
                crowd.cut.discard(writer)
                writer.close()
        crowd.report.came_back += not crowd.done.is_set()
        await asyncio.sleep(0.1)


async def _connect(port: int, *, slow: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not slow:
        return await asyncio.open_connection("127.0.0.1", port)
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE)
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=one, limit=_SLICE)


async def _events(
    reader: asyncio.StreamReader, done: asyncio.Event, *, slow: bool
) -> AsyncIterator[tuple[str, int | None]]:
    """Yield (id, number of the event or None) of each block; a slow reader takes its time until all are done."""
    left, id_ = b"", ""
    while data := await reader.read(_SLICE if slow else 1 << 16):
        *lines, left = (left + data).split(b"\n")
        for line in lines:
            if line == b"event: end":
                return
            if line.startswith(b"id: "):
                id_ = line[4:].decode()
            elif not line and id_:
                yield id_, None
                id_ = ""
            elif line.startswith(b"data: ") and (found := _NUMBER.search(line)):
                yield id_, int(found[1])
                id_ = ""
        if slow and not done.is_set():
            await asyncio.sleep(1)


async def cutting(crowd: Crowd) -> None:
    """Cut somebody now and then."""
    while crowd.plan.cuts and not crowd.done.is_set():
        await asyncio.sleep(1 / crowd.plan.cuts)
        if crowd.cut:
            random.choice(tuple(crowd.cut)).transport.abort()


async def connect(crowd: Crowd) -> list[asyncio.BaseTransport]:
    """Connect those that count."""
    loop, plan = asyncio.get_running_loop(), crowd.plan
    opened: list[asyncio.BaseTransport] = []
    for start in range(0, plan.readers, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, plan.readers))
        made = (
            loop.create_connection(
                lambda n=n: Counting(crowd, n, probe=n < plan.probes),  # type: ignore[misc]
                "127.0.0.1",
                plan.ports[n % len(plan.ports)],
            )
            for n in numbers
        )
        opened += [transport for transport, _ in await asyncio.gather(*made)]
    return opened


async def until(check: Callable[[], bool], *, patience: float) -> None:
    """Wait for something, so many seconds at most."""
    end = time.monotonic() + patience
    while True:
        if check() or time.monotonic() > end:
            return
        await asyncio.sleep(0.05)


async def told() -> None:
    """Say that all are connected, and return when all has been published."""
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)


async def read(plan: Plan, published: Callable[[], Awaitable[None]] = told) -> Report:
    """Connect, count until all has come (or nothing more has for 3 s), and return the report."""
    crowd = Crowd(plan)
    seen: list[Counter[int]] = [Counter() for _ in range(plan.careful)]
    reading = [asyncio.create_task(careful(crowd, n, seen[n], slow=n < plan.slow)) for n in range(plan.careful)]
    opened = await connect(crowd)
    await until(lambda: crowd.connected >= plan.readers + plan.careful, patience=plan.patience)
    cuts = asyncio.create_task(cutting(crowd))
    await published()
    crowd.done.set()
    await cuts
    await _counted(crowd)
    if reading:
        finished, waiting = await asyncio.wait(reading, timeout=plan.patience)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in finished:
            task.result()
    report = crowd.report
    report.missing = sum(plan.events - len(one) for one in seen)
    report.doubled = sum(one.total() - len(one) for one in seen)
    for transport in opened:
        cast(asyncio.Transport, transport).abort()
    ages = sorted(report.ages)
    if ages:
        report.p50, report.p99 = ages[len(ages) // 2], ages[int(len(ages) * 0.99)]
    return report


async def _counted(crowd: Crowd) -> None:
    seen = -1
    while seen != crowd.report.deliveries < crowd.plan.readers * crowd.plan.events:
        seen = crowd.report.deliveries
        await asyncio.sleep(3)


def main() -> None:
    """Be the readers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    report = uvloop.run(read(Plan(**json.loads(sys.argv[1]))))
    said = asdict(report)
    del said["ages"]
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
