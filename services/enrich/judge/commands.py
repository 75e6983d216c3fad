"""`watercooler evaluate` and `watercooler hindsight`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from services.common.errors import Stop

if TYPE_CHECKING:  # what judges takes a second to load, and `--help` needs none of it
    from services.enrich.judge.reading import Told

_NEEDED = ("implicit", "pygal", "scipy", "threadpoolctl")
_EPILOG = """Examples:

  watercooler evaluate year.jsonl.gz

  watercooler evaluate year.jsonl.gz --train 2023..2023 --test 2024-07-01..2025-06-30 --json"""


_WIDE = 112
"""Columns that the widest table takes."""
Ends = tuple[int, int]


class Period(click.ParamType):
    """FROM..TO, days, months or years, the last one included."""

    name = "FROM..TO"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Ends:
        """Return the two ends as micros."""
        from services.enrich.judge.periods import parse

        try:
            return parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_HINDSIGHT_EPILOG = """Examples:

  watercooler hindsight year.jsonl.gz

  watercooler hindsight year.jsonl.gz --per-week 5 --output report.html"""
_train = click.option(
    "--train", type=Period(), help="Fit the product's weights on this period instead of taking those shipped."
)
_test = click.option("--test", type=Period(), help="Judge the whole weeks of this period; by default the last year.")


@click.command(epilog=_EPILOG)
@click.argument("data")
@_train
@_test
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(data: str, train: Ends | None, test: Ends | None, as_json: bool) -> None:
    """Judge every scorer, plain ones and the product's, on DATA: a file in the import form, gzip or not.

    Whom would each have told of what, week by week, and who came to it anyway? docs/evaluate.md has the rules and
    says what such figures cannot tell.
    """
    _check_installed()
    from services.enrich.judge import table
    from services.enrich.judge.evaluation import Asked, evaluate

    with progress() as told:
        report = evaluate(Asked(data, test, train), told)
    if as_json:
        click.echo(json.dumps(report, allow_nan=False))
    else:
        table.show(report, Console(width=max(Console().width, _WIDE)))


@click.command(epilog=_HINDSIGHT_EPILOG)
@click.argument("data")
@_train
@_test
@click.option("--per-week", default=3, show_default=True, type=click.IntRange(1, 100), help="Things shown to a person.")
@click.option("--output", default="hindsight.html", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name-people", is_flag=True, help="Also name those for whom most came true. Ask them first.")
def hindsight(data: str, train: Ends | None, test: Ends | None, per_week: int, output: Path, name_people: bool) -> None:
    """Write a page about what would have been shown in the past of DATA, and what came of it.

    One file that needs no network, to read before an organisation decides. It says nothing about single people unless
    asked to.
    """
    _check_installed()
    from services.enrich.judge.evaluation import Asked
    from services.enrich.judge.hindsight import written

    with progress() as told:
        html = written(Asked(data, test, train), per_week, told, name_people=name_people)
    try:
        output.write_text(html, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{output} cannot be written ({error.strerror})") from error
    click.echo(f"{output} is written; open it in a browser", err=True)


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise Stop(f"judging needs {' and '.join(missing)}; run pip install 'watercooler[evaluate]'")


@contextmanager
def progress() -> "Iterator[Told]":
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None)
            bar.update(tasks[what], completed=done, total=of or None)

        yield told
