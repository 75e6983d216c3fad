"""`watercooler dlq`: records that could not be processed: look at them, try them again, or let them go."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from services.common import settings as configuration
from services.common.bus import Bus
from services.common.commands.letters import How, Letter, original, settle, unsettled
from services.common.commands.records import decoded, find, without_empty
from services.common.commands.shared import as_json, bus_of, dump, print_table, run, text_of
from services.common.envelope import rfc3339
from services.common.errors import Reject, Stop

_Command = TypeVar("_Command", bound=Callable[..., Any])
_EXAMPLES = """
\b
Examples:
  watercooler dlq list
  watercooler dlq show 3-17
  watercooler dlq replay --all --service indexer
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which letters a command is about: by id, or all that match."""

    ids: tuple[str, ...] = ()
    all: bool = False
    service: str = ""
    error: str = ""
    topic: str = ""

    def of(self, letters: Sequence[Letter]) -> list[Letter]:
        """Return the chosen ones; raises Stop when an id is not there."""
        unknown = set(self.ids) - {letter.id for letter in letters}
        if unknown:
            raise Stop(f"there is no letter {', '.join(sorted(unknown))}; see `watercooler dlq list`")
        return [letter for letter in letters if self._matches(letter)]

    def _matches(self, letter: Letter) -> bool:
        wanted = ((self.service, "service"), (self.error, "error"), (self.topic, "topic"))
        return (not self.ids or letter.id in self.ids) and all(
            not want or want == letter.body[name] for want, name in wanted
        )


def _filters(command: _Command) -> _Command:
    for option in (
        click.option("--topic", default="", help="Only those read from this topic (full name) or source."),
        click.option("--error", default="", help="Only those with this type of error."),
        click.option("--service", default="", help="Only those given up by this service."),
    ):
        command = option(command)
    return command


def _chosen(command: _Command) -> _Command:
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--all", "all_", is_flag=True, help="All that match, instead of ids."),
        click.argument("ids", nargs=-1, metavar="[ID]..."),
    ):
        command = option(command)
    return _filters(command)


@click.group(epilog=_EXAMPLES)
def dlq() -> None:
    """Look at records that could not be processed, try them again, or let them go."""


@dlq.command("list", epilog="\b\nExample:\n  watercooler dlq list --service enrich -n 20")
@_filters
@click.option("-n", "limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@as_json
def list_(service: str, error: str, topic: str, limit: int, json_: bool) -> None:
    """List letters that were neither replayed nor dropped, newest last, and count them by reason."""
    bus = bus_of(configuration.load())
    run(_list(bus, Choice(service=service, error=error, topic=topic), limit, json=json_))


async def _list(bus: Bus, choice: Choice, limit: int, *, json: bool) -> None:
    letters = choice.of(await unsettled(bus))
    if json:
        click.echo(dump([summary(letter) for letter in letters[-limit:]]))
        return
    rows = [
        (one.id, rfc3339(one.body["at"]), one.body["service"], one.body["error"], one.origin, one.body["reason"])
        for one in letters[-limit:]
    ]
    print_table(("id", "when", "service", "error", "from", "reason"), rows, empty="There are no dead letters.")
    counts = Counter((one.body["service"], one.body["error"]) for one in letters)
    for (service, error), count in counts.most_common():
        click.echo(f"{count} from {service} ({error})")


def summary(letter: Letter) -> dict[str, Any]:
    """Return what a script needs to know of a letter."""
    names = ("service", "error", "reason", "topic", "partition", "offset", "attempt", "at")
    return {"id": letter.id, "key": letter.key, **{name: letter.body[name] for name in names}}


@dlq.command(epilog="\b\nExample:\n  watercooler dlq show 3-17")
@click.argument("id_", metavar="ID")
@as_json
def show(id_: str, json_: bool) -> None:
    """Show one letter: where it came from, why it was given up, and what is in it."""
    run(_show(bus_of(configuration.load()), id_, json=json_))


async def _show(bus: Bus, id_: str, *, json: bool) -> None:
    [letter] = Choice(ids=(id_,)).of(await unsettled(bus))
    value = letter.body["value"]
    full = {**summary(letter), "headers": letter.body["headers"], **_content(bus, letter)}
    if json:
        click.echo(dump({**full, "bytes": None if value is None else len(value)}))
        return
    click.echo(dump(without_empty(full), indent=True))
    click.echo(
        "The bytes are not carried; see topic, partition and offset." if value is None else f"{len(value)} bytes"
    )


def _content(bus: Bus, letter: Letter) -> dict[str, Any]:
    value = letter.body["value"]
    if value is None:
        return {}
    try:
        return {"value": decoded(find(letter.body["topic"], bus.prefix), value)}
    except (Reject, Stop):
        return {"raw": text_of(value[:2_000])}


@dlq.command(epilog="\b\nExamples:\n  watercooler dlq replay 3-17 3-18\n  watercooler dlq replay --all --error Reject")
@_chosen
def replay(ids: tuple[str, ...], all_: bool, yes: bool, **filters: str) -> None:
    """Publish the original bytes again where they were read, and mark the letters as done.

    Mend the cause first: what fails again comes back as a new letter.
    """
    run(_settle(_choice(ids, all_, filters), "replayed", yes=yes))


@dlq.command(epilog="\b\nExamples:\n  watercooler dlq drop 3-17\n  watercooler dlq drop --all --service ingest --yes")
@_chosen
def drop(ids: tuple[str, ...], all_: bool, yes: bool, **filters: str) -> None:
    """Mark letters as looked at, so that they are not listed again. Nothing is published."""
    run(_settle(_choice(ids, all_, filters), "dropped", yes=yes))


def _choice(ids: tuple[str, ...], all_: bool, filters: dict[str, str]) -> Choice:
    if bool(ids) == all_:
        raise click.UsageError("name letters by id, or use --all (with --service, --error or --topic)")
    return Choice(ids=ids, all=all_, **filters)


async def _settle(choice: Choice, how: How, *, yes: bool) -> None:
    bus = bus_of(configuration.load())
    letters = choice.of(await unsettled(bus))
    if choice.all and letters and not yes:
        click.confirm(f"{len(letters)} letters will be {how}. Go on?", abort=True)
    async with AsyncExitStack() as stack:
        publisher = await bus.publisher()
        stack.push_async_callback(publisher.stop)
        for letter in letters:
            if how == "replayed":
                # Before the mark: a letter may be replayed twice, never be lost.
                await publisher.publish([await original(bus, letter)])
            await settle(bus, publisher, [letter], how)
    click.echo(f"{len(letters)} {how}")
