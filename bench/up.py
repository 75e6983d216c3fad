"""Time from `watercooler up` to ready with warm files, beside the time that both servers alone take."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from bench.table import Row
from services.standalone import ports
from services.standalone.servers import prepare, start_elasticsearch, start_kafka

SERVICES = ("gateway", "ingest", "enrich", "score", "index")
PATIENCE = 120.0
_BRIEF = ClientTimeout(total=1)


async def measure() -> list[Row]:
    """Start everything twice in one data folder; the second time counts."""
    with tempfile.TemporaryDirectory(prefix="watercooler-up-") as name:
        state = Path(name)
        await once(state)
        page, ready = await once(state)
        alone = await servers_alone(state)
    beside = f"Kafka and Elasticsearch alone, one after the other: {alone:.1f} s"
    return [
        Row("up: to the page, warm", page, "s"),
        Row("up: to all services ready, warm", ready, "s", beside, ready / alone),
        Row("up: to ready, less the servers' own time", max(ready - alone, 0.0), "s", bar="<= 4"),
    ]


async def once(state: Path) -> tuple[float, float]:
    """Run `up` until everything is ready, then stop it; returns seconds to the page and to ready."""
    chosen = {service: ports.free() for service in SERVICES}
    start = time.perf_counter()
    async with running(state, chosen) as process, ClientSession(timeout=_BRIEF) as session:
        await until_ready(session, process, chosen["gateway"], "healthz")
        page = time.perf_counter() - start
        for port in chosen.values():
            await until_ready(session, process, port, "readyz")
        return page, time.perf_counter() - start


@asynccontextmanager
async def running(state: Path, chosen: dict[str, int]) -> AsyncIterator[asyncio.subprocess.Process]:
    """`watercooler up` on free ports, ended as Ctrl-C would."""
    ours = {name: value for name, value in environ.items() if not name.startswith("WATERCOOLER_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "up", "--state", str(state)),
        env={
            **ours,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "WATERCOOLER_KAFKA_PORT": str(ports.free()),
            "WATERCOOLER_ELASTICSEARCH_PORT": str(ports.free()),
            **{f"WATERCOOLER_{service.upper()}_PORT": str(port) for service, port in chosen.items()},
        },
        cwd=state,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


async def until_ready(session: ClientSession, process: asyncio.subprocess.Process, port: int, path: str) -> None:
    """Return once a service answers 200 there; RuntimeError when `up` has ended or it takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.returncode is not None:
            raise RuntimeError(f"`watercooler up` ended with {process.returncode}")
        try:
            async with session.get(f"http://{ports.HOST}:{port}/{path}") as answer:
                if answer.status == 200:
                    return
        except (ClientError, TimeoutError):
            pass  # not yet
        await asyncio.sleep(0.02)
    raise RuntimeError(f"port {port} did not say {path} within {PATIENCE:.0f} s")


async def servers_alone(state: Path) -> float:
    """Return how long both servers take to start in that folder, one after the other as `up` starts them."""
    installed = await prepare()
    start = time.perf_counter()
    log = await start_kafka(state, ports.free(), installed)
    try:
        search = await start_elasticsearch(state, ports.free(), installed)
        took = time.perf_counter() - start
        await search.stop()
        return took
    finally:
        await log.stop()
