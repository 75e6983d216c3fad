"""Live readers: what a delivery costs the gateway in CPU, whether all arrive, and what an open connection costs.

The readers are a process of their own (`python -m bench.sse URL READERS EVENTS`): the least a client can do, so that
it leaves the gateway its core. Events carry 1 KB of JSON; access and a filter are looked at for each.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import uvloop

from bench.table import Row
from bench.whole import busy, resident, whole
from services.common import topics
from services.common.bus import Outgoing, Publisher
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.codec import Codec
from services.common.envelope import headers
from services.common.model import (
    Access,
    AccessKind,
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Object,
    Provenance,
    Visibility,
)
from services.common.records import access_out, enriched_out
from tests.fixtures.stack import Stack

RATE = 100
SECONDS = 15
TICK = 0.05
PLACE = "bench:hall"
SIZE = 1024
BARS = {500: "<= 5", 2000: "<= 2"}
MEMORY_BAR = "<= 15"
LIMITS = {
    "WATERCOOLER_GATEWAY_STREAMS_PER_PERSON": "100000",
    "WATERCOOLER_GATEWAY_STREAMS_PER_ADDRESS": "100000",
}


async def measure(kafka: str, elastic: str) -> list[Row]:
    """Give 100 events a second to 500 and to 2,000 readers."""
    rows: list[Row] = []
    async with whole(kafka, elastic, "index", "gateway", **LIMITS) as stack:
        bus = KafkaBus(KafkaSettings(bootstrap=kafka, partitions=4, replication=1), stack.prefix)
        publisher = await bus.publisher()
        try:
            await publisher.publish([_opened(bus.prefix)])
            for run, (readers, bar) in enumerate(BARS.items()):
                rows += await _run(stack, bus.prefix, publisher, readers, bar, run)
        finally:
            await publisher.stop()
    return rows


async def _run(stack: Stack, prefix: str, publisher: Publisher, readers: int, bar: str, run: int) -> list[Row]:
    pid = stack.processes["gateway"].pid
    count = RATE * SECONDS
    before = resident(pid)
    url = f"{stack.url()}/v1/stream?container={PLACE}"
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sse", url, str(readers), str(count)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert client.stdout is not None
    await asyncio.wait_for(client.stdout.readline(), 120)  # says that all are connected
    held = (resident(pid) - before) * 1024 / readers
    spent = busy(pid)
    await _publishing(prefix, publisher, run)
    said = json.loads(await asyncio.wait_for(client.stdout.readline(), 120))
    await client.wait()
    micros = (busy(pid) - spent) * 1e6 / max(1, said["deliveries"])
    named = f"live, {readers:,} readers x {RATE}/s:"
    return [
        Row(f"{named} CPU a delivery", micros, "µs", bar=bar),
        Row(f"{named} delivered", said["deliveries"] / (readers * count), "", "of all", bar=">= 1; <= 1"),
        Row(f"{named} memory a connection", held, "KB", bar=MEMORY_BAR),
    ]


async def _publishing(prefix: str, publisher: Publisher, run: int) -> None:
    """Publish at an even rate."""
    start = time.perf_counter()
    per_tick = round(RATE * TICK)
    for tick in range(round(SECONDS / TICK)):
        await asyncio.sleep(max(0.0, start + tick * TICK - time.perf_counter()))
        first = run * RATE * SECONDS + tick * per_tick
        await publisher.publish([_event(prefix, number) for number in range(first, first + per_tick)])


_ACCESS, _ENRICHED = Codec("access"), Codec("enriched")


def _opened(prefix: str) -> Outgoing:
    record = Access(id=PLACE, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC)
    return Outgoing(topic=topics.ACCESS.name(prefix), key=PLACE, value=_ACCESS.encode(access_out(record)))


def _event(prefix: str, number: int) -> Outgoing:
    at = datetime.now(UTC)
    activity = Activity(
        id=f"bench:{number}#chat.message",
        type=ActivityType.CREATE,
        verb="chat.message",
        published=at,
        recorded=at,
        actor=Account(id="bench:ann", name="Ann"),
        object=Object(id=f"bench:{number}", type="Note", content="x" * (SIZE - 620), order=number + 1),
        context=(Container(id=PLACE, type="Channel", name="hall"),),
        audience=Audience(visibility=Visibility.PUBLIC, container=PLACE),
        provenance=Provenance(source="bench"),
    )
    return Outgoing(
        topic=topics.ENRICHED.name(prefix),
        key=activity.id,
        value=_ENRICHED.encode(enriched_out(Enriched(activity=activity, person="bench:ann"))),
        headers=headers(activity),
        place=activity.object.id,
    )


@dataclass(slots=True)
class Count:
    """What all readers have seen."""

    deliveries: int = 0
    connected: int = 0


class Reader(asyncio.Protocol):
    """Asks for the stream and counts events; a block cut between two reads is counted with its second half."""

    def __init__(self, request: bytes, count: Count) -> None:
        self._request = request
        self._count = count
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        cast(asyncio.Transport, transport).write(self._request)  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        """Count."""
        if not self._tail:
            self._count.connected += 1
        data = self._tail + data
        self._count.deliveries += data.count(b"\ndata: ")
        self._tail = data[-6:]


async def read(url: str, readers: int, events: int) -> None:
    """Connect, say so, count until all have come or nothing has for 5 s, and say how many."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    request = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n".encode()
    loop, count = asyncio.get_running_loop(), Count()
    opened = []
    for start in range(0, readers, 50):
        some = (
            loop.create_connection(lambda: Reader(request, count), name, int(port))
            for _ in range(min(50, readers - start))
        )
        opened += await asyncio.gather(*some)
    await until(lambda: count.connected >= readers, patience=60)
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    await until(lambda: count.deliveries > 0, patience=60)
    seen = -1
    while seen != count.deliveries < readers * events:
        seen = count.deliveries
        await asyncio.sleep(5)
    sys.stdout.write(json.dumps({"deliveries": count.deliveries}) + "\n")
    for transport, _ in opened:
        transport.abort()


async def until(check: Callable[[], bool], *, patience: float) -> None:
    """Wait for something, so many seconds at most."""
    end = time.monotonic() + patience
    while True:
        if check() or time.monotonic() > end:
            return
        await asyncio.sleep(0.05)


def main(arguments: Sequence[str]) -> None:
    """Be the readers."""
    url, readers, events = arguments
    uvloop.run(read(url, int(readers), int(events)))


if __name__ == "__main__":
    main(sys.argv[1:])
