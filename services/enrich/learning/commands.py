"""`watercooler train`."""

import json
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from services.common import settings
from services.common.errors import Stop

if TYPE_CHECKING:  # what learns takes a second to load, and `--help` needs none of it
    from services.enrich.learning.relearn import Relearned

_DAY = click.DateTime(["%Y-%m-%d"])
_EPILOG = """Examples:

  watercooler train year.jsonl.gz

  watercooler train year.jsonl.gz --from 2024-07-01 --to 2025-06-30 --feedback said.jsonl

  watercooler train --restore"""


@click.command(epilog=_EPILOG)
@click.argument("data", required=False)
@click.option("--from", "first", type=_DAY, help="First day to learn from; by default the first of DATA.")
@click.option("--to", "last", type=_DAY, help="Last day of the weeks held out; by default the last of DATA.")
@click.option("--feedback", type=click.Path(path_type=Path), help="JSON lines of feedback.v1: labels that count first.")
@click.option("--force", is_flag=True, help="Use the new weights even where they are worse.")
@click.option("--restore", "back", is_flag=True, help="Go back to the weights before.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def train(
    data: str | None,
    first: datetime | None,
    last: datetime | None,
    feedback: Path | None,
    force: bool,
    back: bool,
    as_json: bool,
) -> None:
    """Fit the scorer's weights to DATA: your own history in the import form, gzip or not.

    The last quarter of the weeks is held out; there the new weights are compared with those in use, and taken where
    they are no worse. `watercooler score` reads them when it starts. Only coefficients are kept: no text, no person.
    """
    from services.enrich.scoring import weighing

    state = settings.load().state
    if back:
        click.echo(f"back to {weighing.restore(state).name}; start `watercooler score` again")
        return
    if data is None:
        raise click.UsageError("DATA is missing: a file in the import form, or --restore")
    found = _relearn(data, _period(first, last), feedback)
    taken = found.better or force
    where = str(weighing.install(state, found.weights)) if taken else ""
    if as_json:
        click.echo(json.dumps(_report(found, where), allow_nan=False))
    else:
        _show(found, where)


def _relearn(data: str, period: tuple[int, int] | None, feedback: Path | None) -> "Relearned":
    if find_spec("scipy") is None:
        raise Stop("scipy is needed to train; pip install 'watercooler[evaluate]'")
    from services.enrich.judge.commands import progress
    from services.enrich.learning import feedback as said
    from services.enrich.learning.relearn import relearn
    from services.enrich.scoring import weighing

    with progress() as told:
        return relearn(data, period, weighing.weights_in(settings.load().state), said.read(feedback), told)


def _period(first: datetime | None, last: datetime | None) -> tuple[int, int] | None:
    from services.common.model import micros

    if first is None and last is None:
        return None
    begin = first or datetime(1970, 1, 1)  # noqa: DTZ001 - a day, its zone is set below
    end = (last or datetime.combine(date(2999, 1, 1), datetime.min.time())) + timedelta(days=1)
    if begin >= end:
        raise click.BadParameter("--from lies behind --to")
    return micros(begin.replace(tzinfo=UTC)), micros(end.replace(tzinfo=UTC))


def _report(found: "Relearned", where: str) -> dict[str, Any]:
    return {
        "taken": bool(where),
        "weights": where,
        "weeks_learned": found.learned,
        "weeks_held_out": found.held_out,
        "person_weeks": found.person_weeks,
        "metrics": found.metrics,
    }


def _show(found: "Relearned", where: str) -> None:
    table = Table("weights", *next(iter(found.metrics.values())))
    for name, metrics in found.metrics.items():
        table.add_row(name, *(f"{value:.3f}" for value in metrics.values()))
    Console().print(table)
    click.echo(f"learned from {found.learned} weeks, compared on {found.held_out} ({found.person_weeks} lists)")
    if where:
        click.echo(f"the new weights are in {where}; start `watercooler score` again, or go back with --restore")
    else:
        click.echo("the new weights are worse and were not taken; the ones before stay (--force takes them)")
