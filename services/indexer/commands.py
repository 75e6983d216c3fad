"""``watercooler index`` and ``watercooler reindex``."""

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.common import logs, run
from services.common.bus.kafka import KafkaBus
from services.common.search.elastic import ElasticSearch
from services.common.settings import Settings, load
from services.indexer.app import service
from services.indexer.reindex import Report, rebuilding


@click.command()
def index() -> None:
    """Write what arrives into the index, and who may open it; runs until stopped."""
    run.main("indexer", service, load())


@click.command()
@click.option("--keep-old", is_flag=True, help="Keep the old indices (no alias points to them any more).")
def reindex(keep_old: bool) -> None:
    """Build a new index from the log while the old one serves, compare, and change over in one step."""
    settings = load()
    logs.configure("reindex", form="console", level="warning")
    report = uvloop.run(_reindex(settings, keep_old=keep_old))
    click.echo(f"{report.records} records of the log, {report.distinct} distinct activities.")
    if report.unreadable:
        click.echo(f"{report.unreadable} records cannot be read and were left out; see `watercooler dlq list`.")
    click.echo(f"Activities in the index: {report.before} before, {report.documents} now.")
    for kind, name in report.new.items():
        was = report.old[kind]
        click.echo(f"{kind}: {was} -> {name}" + (f" ({was} is kept)" if keep_old else ""))


async def _reindex(settings: Settings, *, keep_old: bool) -> Report:
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    search = ElasticSearch.from_settings(settings)
    try:
        async with rebuilding(bus, search) as work:
            with _bar() as bar:
                task = bar.add_task("Reading the log", total=None)

                def progress(done: int, total: int) -> None:
                    bar.update(task, completed=done, total=total)

                await work.fill(progress)
                bar.update(task, description="Changing over")
                report = await work.hand_over(progress)
        if not keep_old:
            for name in report.old.values():
                await search.indices.delete(name)
        return report
    finally:
        await search.stop()


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
