"""`python -m bench [PART ...]`: measure, and print one table."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from importlib import import_module
from os import environ
from pathlib import Path

import click
from rich.console import Console

from bench.table import Row, as_json, merged, show

PARTS = {
    "ingest": "import into Kafka beside a bare producer",
    "enrich": "the durable path beside a bare consume-produce loop",
    "index": "the indexer beside a bare bulk of the same documents",
    "score": "scoring by people and past objects, beside a matrix product and implicit; memory",
    "recommend": "from an activity to its recommendation at 500/s, and two scoring workers beside one",
    "search": "how well known items are found by words, by meaning, and by both fused",
    "sse": "live readers beside nchan: CPU a delivery, and how old it is",
    "streams": "8,000 idle readers; readers cut all the time over two processes; slow readers",
    "flow": "freshness from the source to the live feed and to search at 500/s",
    "page": "the web page in Chromium: when it first paints, and when it is live",
    "up": "time from `up` to ready with warm files",
    "rest": "how long each endpoint takes at a million activities (--size N, --rate N, --folder DIR)",
    "memory": "resident memory of every process after a large import (--data FILE)",
}
"""What there is, in the order in which it is run. Each is a module here with ``async def measure(kafka, elastic)``."""
ALONE = "up"
LARGE = "rest"
"""Has servers of its own, too: a large index asks for other ones."""
PAGE = Path(__file__).parents[1] / "docs" / "bench.md"


@asynccontextmanager
async def servers(kept: Path | None = None, *, lasting: bool = False) -> AsyncIterator[tuple[str, str]]:
    """Give the servers that are named by WATERCOOLER_TEST_*, or own ones for as long as the block runs.

    Their data is in ``kept``, and stays there; without it, in a folder that is gone afterwards. ``lasting`` gives
    Elasticsearch what a large index has elsewhere: 2 GB, and both of Java's compilers.
    """
    kafka, elastic = environ.get("WATERCOOLER_TEST_KAFKA"), environ.get("WATERCOOLER_TEST_ELASTICSEARCH")
    if kafka and elastic:
        yield kafka, elastic
        return
    from services.standalone import ports
    from services.standalone.servers import start_elasticsearch, start_kafka

    with nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="watercooler-bench-") as folder:
        log = await start_kafka(Path(folder), ports.free())
        try:
            search = await start_elasticsearch(
                Path(folder), ports.free(), heap="2g" if lasting else "1g", lasting=lasting
            )
            try:
                yield log.bootstrap, search.url
            finally:
                await search.stop()
        finally:
            await log.stop()


async def measured(
    parts: Sequence[str],
    say: Console,
    *,
    data: Path | None = None,
    size: int,
    rates: Sequence[int] = (),
    folder: Path | None = None,
) -> list[Row]:
    """Run the parts one after another; returns all their rows."""
    rows: list[Row] = []
    if ALONE in parts:  # it starts servers of its own, beside which no others may run
        rows += await one(ALONE, say)
    if LARGE in parts:
        async with servers(folder, lasting=True) as (kafka, elastic):
            rows += await one(LARGE, say, kafka, elastic, size, *([rates] if rates else []))
    if others := [part for part in parts if part not in (ALONE, LARGE)]:
        async with servers() as (kafka, elastic):
            for part in others:
                rows += await one(part, say, kafka, elastic, *([data] if part == "memory" else []))
    return rows


async def one(part: str, say: Console, *given: object) -> list[Row]:
    """Run one part; returns and shows its rows."""
    say.print(f"{part}: {PARTS[part]} ...")
    found: list[Row] = await import_module(f"bench.{part}").measure(*given)
    show(found, say)
    return found


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="JSON lines for `memory` (gzip or not).")
@click.option("--size", type=click.IntRange(1_000), default=1_000_000, help="Activities in the index for `rest`.")
@click.option("--rate", "rates", type=click.IntRange(1), multiple=True, help="Requests/s for `rest`; may be repeated.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Keep the index of `rest` there, and use what is there."
)
@click.option("--json", "json_", is_flag=True, help="For scripts.")
@click.option("--write", is_flag=True, help="Write the rows into docs/bench.md.")
def main(
    parts: tuple[str, ...],
    data: Path | None,
    size: int,
    rates: tuple[int, ...],
    folder: Path | None,
    json_: bool,
    write: bool,
) -> None:
    """Measure PARTs (all where none is named; `memory` only with --data). Ends with 1 when a bar is missed."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    wanted = parts or tuple(part for part in PARTS if part != "memory" or data)
    if "memory" in wanted and data is None:
        raise click.UsageError("memory needs --data FILE: JSON lines of activities in the import form")
    say = Console(stderr=True)
    rows = asyncio.run(measured(wanted, say, data=data, size=size, rates=rates, folder=folder))
    if json_:
        click.echo(as_json(rows))
    elif len(wanted) > 1:
        show(rows)
    if write:
        PAGE.write_text(merged(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    sys.exit(any(row.met is False for row in rows))


if __name__ == "__main__":
    main()
