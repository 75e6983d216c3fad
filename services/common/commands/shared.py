"""What the commands share: the bus, running to the end, and printing for people or for scripts."""

import asyncio
import logging
import sys
from base64 import b64encode
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from services.common.bus.kafka import KafkaBus
from services.common.envelope import rfc3339
from services.common.settings import Settings

as_json = click.option("--json", "json_", is_flag=True, help="One JSON document for scripts instead of a table.")


def bus_of(settings: Settings) -> KafkaBus:
    """Return the log that the settings name."""
    return KafkaBus(settings.kafka_settings(), settings.topic_prefix)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work to its end, or until Ctrl-C, which is a way to end and no failure."""
    # What aiokafka logs is said again, in a sentence, by the error that ends the command.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        click.echo("", err=True)


def plain(value: object) -> object:
    """Return a value that JSON lacks as one that it has: times as RFC 3339, bytes as text or base64."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def text_of(value: bytes) -> str:
    """Return bytes as the text they are, or as base64 with a mark."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "base64:" + b64encode(value).decode()
    return text if harmless(text) == text else "base64:" + b64encode(value).decode()


def harmless(text: str) -> str:
    """Return text without what steers a terminal: it comes from sources, and from whoever writes there."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)


def dump(value: object, *, indent: bool = False) -> str:
    """Return a value as JSON."""
    option = (orjson.OPT_INDENT_2 if indent else 0) | orjson.OPT_PASSTHROUGH_DATETIME
    return orjson.dumps(value, default=plain, option=option).decode()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print rows for people; ``empty`` is said when there are none."""
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(harmless, row))
    if table.row_count:
        console().print(table)
    else:
        click.echo(empty)


def console() -> Console:
    """Return a console on standard output; where that is no terminal, lines are long rather than cut."""
    return Console(width=None if sys.stdout.isatty() else 240, soft_wrap=False, highlight=False, markup=False)
