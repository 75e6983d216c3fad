"""Resident memory of every process after a large import, which has to arrive whole."""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bench.table import Row
from bench.whole import at, distinct_ids, indexed, lags, resident, whole
from tests.fixtures.stack import Stack

PATIENCE = 3600.0
PAUSE = 2.0


async def measure(kafka: str, elastic: str, data: Path) -> list[Row]:
    """Import the file through a whole stack; returns memory, rates, and whether all of it arrived."""
    data = await asyncio.to_thread(data.absolute)
    wanted = await asyncio.to_thread(distinct_ids, data)
    async with whole(kafka, elastic, "enrich", "score", "index", "gateway") as stack:
        start = time.perf_counter()
        peaks, imported = await importing(stack, data, start)
        drained = await until_drained(stack, peaks, start)
        arrived = await indexed(stack)
        now = {name: resident(process.pid) for name, process in stack.processes.items()}
        given = {"Kafka": at(kafka), "Elasticsearch": at(elastic)}
    beside = f"distinct ids in the file: {wanted:,}"
    return [
        Row("import: activities in the index", arrived, "", beside, arrived / wanted, "ratio >= 1; ratio <= 1"),
        Row("import, whole stack running", wanted / imported, "/s"),
        *(Row(f"import: {group} done", wanted / seconds, "/s") for group, seconds in drained.items()),
        *(Row(f"memory: {name}", size, "MB", f"highest seen: {peaks[name]:,.0f} MB") for name, size in now.items()),
        Row("memory: import, highest seen", peaks["import"], "MB"),
        *(Row(f"memory: {name} (heap as started)", resident(pid), "MB") for name, pid in given.items() if pid),
    ]


async def importing(stack: Stack, data: Path, start: float) -> tuple[dict[str, float], float]:
    """Import the file; returns the highest memory of each process meanwhile, in MB, and the seconds it took."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "import", str(data)),
        env=stack.environ,
        cwd=stack.folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    peaks = {"import": 0.0, **dict.fromkeys(stack.processes, 0.0)}
    ending = asyncio.create_task(process.communicate())
    while not ending.done():
        note(peaks, {"import": process.pid, **pids(stack)})
        await asyncio.wait([ending], timeout=PAUSE / 4)
    if process.returncode:
        raise RuntimeError(f"the import ended with {process.returncode}: {(await ending)[1].decode()[-1000:]}")
    return peaks, time.perf_counter() - start


async def until_drained(stack: Stack, peaks: dict[str, float], start: float) -> dict[str, float]:
    """Wait until every group has read everything; returns when each had, in seconds. RuntimeError after an hour."""
    done: dict[str, float] = {}
    while time.perf_counter() - start < PATIENCE:
        left = await lags(stack)
        note(peaks, pids(stack))
        for group, lag in left.items():
            if lag:
                done.pop(group, None)
            else:
                done.setdefault(group, time.perf_counter() - start)
        if len(done) == len(left):
            return done
        await asyncio.sleep(PAUSE)
    raise RuntimeError(f"not all was read within {PATIENCE:.0f} s: {left}")


def pids(stack: Stack) -> dict[str, int]:
    """Process ids by service."""
    return {name: process.pid for name, process in stack.processes.items()}


def note(peaks: dict[str, float], processes: Mapping[str, int]) -> None:
    """Keep the highest memory seen."""
    for name, pid in processes.items():
        peaks[name] = max(peaks[name], resident(pid))
