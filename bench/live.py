"""What live readers are given in a benchmark, at an even rate, and the readers as a process."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime

from bench.readers import Plan, Report
from services.common import topics
from services.common.activitystreams import as_json
from services.common.bus import Outgoing
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

TICK = 0.05
PLACE = "bench:hall"
PEOPLE = 50
SIZE = 1024
_FILTERS = ("container=bench:hall", "type=Create", "verb=chat.message", "source=bench", "person=bench:ann")
LIMITS = {
    "WATERCOOLER_GATEWAY_STREAMS_PER_PERSON": "100000",
    "WATERCOOLER_GATEWAY_STREAMS_PER_ADDRESS": "100000",
}
"""So that one machine can be all the readers."""

_access, _enriched = Codec("access"), Codec("enriched")
Publish = Callable[[Sequence[Enriched]], Awaitable[None]]


def paths() -> list[str]:
    """Return the streams that readers ask for: fifty people, each combination of two filters; all let everything in."""
    pairs = [f"{one}&{other}" for n, one in enumerate(_FILTERS) for other in _FILTERS[n + 1 :]]
    return [f"/v1/stream?as=p{n}&{pairs[n % len(pairs)]}" for n in range(PEOPLE)]


def opened(prefix: str) -> Outgoing:
    """Return the record that opens the place to those people and to nobody else."""
    people = tuple(f"p{n}" for n in range(PEOPLE))
    record = Access(id=PLACE, kind=AccessKind.CONTAINER, visibility=Visibility.RESTRICTED, principals=people)
    return Outgoing(topic=topics.ACCESS.name(prefix), key=PLACE, value=_access.encode(access_out(record)))


def happening(number: int) -> Enriched:
    """Return an activity of about a kilobyte of JSON, taken in now."""
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
        audience=Audience(visibility=Visibility.RESTRICTED, container=PLACE),
        provenance=Provenance(source="bench"),
    )
    return Enriched(activity=activity, person="bench:ann")


def record(prefix: str, e: Enriched) -> Outgoing:
    """Return an activity as a record of the log."""
    return Outgoing(
        topic=topics.ENRICHED.name(prefix),
        key=e.activity.id,
        value=_enriched.encode(enriched_out(e)),
        headers=headers(e.activity),
        place=e.activity.object.id,
    )


def text(e: Enriched) -> bytes:
    """Return an activity as the JSON that readers are given."""
    return json.dumps(as_json(e), separators=(",", ":")).encode()


async def evenly(publish: Publish, *, first: int, count: int, rate: int) -> None:
    """Let activities happen at an even rate, in steps of a twentieth of a second."""
    start, per_tick = time.perf_counter(), round(rate * TICK)
    for tick, number in enumerate(range(first, first + count, per_tick)):
        await asyncio.sleep(max(0.0, start + tick * TICK - time.perf_counter()))
        await publish([happening(n) for n in range(number, min(number + per_tick, first + count))])


class Readers:
    """The readers' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def report(self) -> Report:
        """Say that all has been published, and return what was seen."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"done\n")
        await self._process.stdin.drain()
        said = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 180))
        await self._process.wait()
        return Report(**said)


@asynccontextmanager
async def reading(plan: Plan) -> AsyncIterator[Readers]:
    """Connect readers, and leave them reading while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.readers", json.dumps(asdict(plan))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        said = await asyncio.wait_for(process.stdout.readline(), 180)  # says that all are connected
        if said.strip() != b"connected":
            raise RuntimeError("the readers ended before they were connected")
        yield Readers(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
