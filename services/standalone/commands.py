"""`watercooler up`, `down` and `status`."""

import asyncio
import json
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from services.common import logs
from services.common import settings as common
from services.common.errors import Stop
from services.standalone import lock, parts, plan, sources
from services.standalone.screen import draw, screen

DOWN_SECONDS = 120.0
NOT_RUNNING = 3

_state = click.option("--state", type=click.Path(path_type=Path), help="Data folder (default: .watercooler).")


@click.command(
    epilog="""\b
Examples:
  watercooler up --demo
  watercooler up --source git:. --source mediawiki:https://wiki.example/api.php"""
)
@click.option("--demo", is_flag=True, help="Bring activities of an open-source organisation, to look around.")
@click.option("--source", "given", multiple=True, metavar="KIND:WHERE", help="Read this as well (repeatable).")
@_state
def up(demo: bool, given: tuple[str, ...], state: Path | None) -> None:
    """Run everything on this machine: Kafka, Elasticsearch and all services, until Ctrl-C.

    What is missing is fetched first. Servers named by WATERCOOLER_KAFKA and WATERCOOLER_ELASTICSEARCH are used instead
    of own ones. Sources, ports and all else can be kept in watercooler.toml.
    """
    from services.standalone.running import run  # takes long to load, and `status` needs none of it

    taken = [source.name for source in common.load().sources]
    planned = plan.make(state, sources.parse(given, taken))
    with lock.hold(planned.state), planned.log("up").open("a") as log:
        logs.configure("up", level="warning", stream=log)
        planned.require_ports()
        with screen() as shown:
            asyncio.run(run(planned, shown, demo=demo))


@click.command()
@_state
def down(state: Path | None) -> None:
    """Stop the Watercooler that runs on this machine's data folder, and wait until it has ended."""
    place = _place(state)
    pid = lock.holder(place)
    if pid is None:
        click.echo(f"Nothing runs on {place}.")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while lock.holder(place) is not None:
        if time.monotonic() > deadline:
            raise Stop(f"Process {pid} has not ended within {DOWN_SECONDS:.0f} s: end it with kill -9 {pid}.")
        time.sleep(0.1)
    click.echo("Stopped.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@_state
def status(as_json: bool, state: Path | None) -> None:
    """Show how every part is. Ends with 3 when nothing runs."""
    place = _place(state)
    if lock.holder(place) is None:
        click.echo(json.dumps({"running": False}) if as_json else f"Nothing runs on {place}.")
        raise SystemExit(NOT_RUNNING)
    read = parts.load(place)
    if as_json:
        click.echo(json.dumps({"running": True, **asdict(read)}))
    else:
        Console().print(draw(read, hint="`watercooler down` stops everything; nothing is lost."))


def _place(state: Path | None) -> Path:
    return (state or common.load().state).absolute()
