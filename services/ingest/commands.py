"""`watercooler ingest`, `import` and `sources`."""

import asyncio
import json
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from services.common import logs, settings
from services.common import registry as schema_registry
from services.common.bus.kafka import KafkaBus
from services.common.errors import WatercoolerError
from services.common.run import main
from services.common.settings import Settings, Source
from services.ingest import app, importer, registry


@click.command(epilog="Example:  watercooler ingest")
def ingest() -> None:
    """Read the configured sources and take their webhooks, until stopped."""
    main("ingest", app.service, settings.load())


@click.command("import", epilog="Examples:\n\n  watercooler import year.jsonl.gz\n\n  zcat *.gz | watercooler import -")
@click.argument("file")
@click.option("--source", default="import", show_default=True, help="Source of activities that name none.")
@click.option("--restart", is_flag=True, help="Begin at the first line, though the file was imported before.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def import_(file: str, source: str, restart: bool, as_json: bool) -> None:
    """Import activities from FILE: JSON lines, gzip or not; - reads standard input.

    Goes on where an import of the same file was stopped. Wrong lines go to the dead letters and are named; the rest
    goes on. The form is described in docs/import-form.md.
    """
    config = settings.load()
    logs.configure("import", form="console", level="warning")
    done = asyncio.run(_import(config, file, source, restart))
    counts = {"published": done.published, "rejected": done.rejected, "skipped": done.skipped}
    if as_json:
        click.echo(json.dumps(counts))
        return
    click.echo(f"{done.published:,} activities imported", err=True)
    if done.skipped:
        click.echo(f"{done.skipped:,} lines had been imported before (--restart begins again)", err=True)
    if done.rejected:
        click.echo(f"{done.rejected:,} lines were wrong and lie in the dead letters, such as:", err=True)
        for mistake in done.mistakes:
            click.echo(f"  {mistake}", err=True)


async def _import(config: Settings, file: str, source: str, restart: bool) -> importer.Progress:
    bus = KafkaBus(config.kafka_settings(), config.topic_prefix)
    await schema_registry.learn(config)
    async with app.ground(bus, config) as base:
        with _bar() as bar:
            task = bar.add_task(Path(file).name, total=None)

            def told(progress: importer.Progress) -> None:
                bar.update(task, completed=progress.read)

            return await importer.import_file(file, source, base.intake, base.cursors, restart=restart, told=told)


def _bar() -> Bar:
    console = Console(stderr=True)
    name, count = TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} lines")
    return Bar(
        name, BarColumn(), count, TimeElapsedColumn(), console=console, disable=not console.is_terminal, transient=True
    )


@click.group(invoke_without_command=False)
def sources() -> None:
    """What is read from where."""


@sources.command("list", epilog="Example:  watercooler sources list --json")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List the configured sources, and the connectors there are."""
    config = settings.load()
    rows = [{"name": s.name, "kind": s.kind, "enabled": s.enabled} for s in config.sources]
    if as_json:
        click.echo(json.dumps({"sources": rows, "connectors": registry.available()}))
        return
    table = Table("source", "connector", "enabled", title=None)
    for row in rows:
        table.add_row(str(row["name"]), str(row["kind"]), "yes" if row["enabled"] else "no")
    if rows:
        Console().print(table)
    click.echo(f"connectors: {', '.join(registry.available())}")


@sources.command(epilog="Examples:\n\n  watercooler sources check\n\n  watercooler sources check wiki")
@click.argument("names", nargs=-1)
def check(names: tuple[str, ...]) -> None:
    """Open each source (or those named), see that it answers and what it holds. Reads nothing into the log."""
    config = settings.load()
    wanted = [source for source in config.sources if not names or source.name in names]
    missing = set(names) - {source.name for source in wanted}
    if missing:
        raise click.ClickException(f"no source is named {', '.join(sorted(missing))}; see `watercooler sources list`")
    results = [asyncio.run(_check(source, config)) for source in wanted]
    for source, (_, what) in zip(wanted, results, strict=True):
        click.echo(f"{source.name}: {what}")
    if not all(good for good, _ in results):
        raise click.exceptions.Exit(1)


async def _check(source: Source, config: Settings) -> tuple[bool, str]:
    try:
        async with app.opened(source, config) as connector:
            containers = await connector.discover()
            access = [await connector.access(one) for one in containers]
    except WatercoolerError as error:
        return False, str(error)
    closed = sum(not one.principals and one.visibility.value != "PUBLIC" for one in access)
    return True, f"answers; {len(containers)} containers" + (f", {closed} of them nobody's" if closed else "")


@sources.command(epilog="Example:  watercooler sources add wiki mediawiki url=https://wiki.example/api.php")
@click.argument("name")
@click.argument("kind")
@click.argument("options", nargs=-1, metavar="[KEY=VALUE]...")
def add(name: str, kind: str, options: tuple[str, ...]) -> None:
    """Write a source into watercooler.toml, after checking its options. Secrets go into variables instead."""
    pairs = dict(option.partition("=")[::2] for option in options)
    if wrong := [option for option in options if "=" not in option]:
        raise click.BadParameter(f"{wrong[0]!r} is not KEY=VALUE", param_hint="OPTIONS")
    try:
        source = Source.model_validate({"name": name, "kind": kind, **pairs})
    except ValidationError as error:
        raise click.BadParameter(
            f"{name!r}: lower-case letters, digits, dots, dashes and underscores, 63 at most", param_hint="NAME"
        ) from error
    registry.options_of(source, registry.load(kind))
    if any(known.name == name for known in settings.load().sources):
        raise click.ClickException(f"there is a source named {name} already; change it in {settings.config_file()}")
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"name": name, "kind": kind, **pairs}.items()]
    with settings.config_file().open("a", encoding="utf-8") as file:
        file.write("\n[[sources]]\n" + "\n".join(lines) + "\n")
    click.echo(f"{name} is in {settings.config_file()}; `watercooler sources check {name}` tries it")
