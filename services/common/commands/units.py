"""`watercooler units`: who is in which part of the organisation, from a file of the staff, into ``person.v1``."""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import click

from services.common import settings, topics
from services.common.bus import Bus, Outgoing, Received
from services.common.codec import Codec
from services.common.commands.shared import bus_of, run
from services.common.errors import Stop
from services.common.view import DecodedView

Units = Mapping[str, list[str]]
"""Per person id the units, outermost first."""
LONGEST = 200
_AT_ONCE = 1_000


class _People(DecodedView):
    """What is known of people already."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.PERSON)
        self.records: dict[str, dict[str, Any]] = {}

    def take(self, received: Received, record: dict[str, Any] | None) -> None:
        self.records.pop(received.key, None)
        if record is not None:
            self.records[received.key] = record


@click.command(epilog="Examples:\n\n  watercooler units staff.csv\n\n  ldap-to-csv | watercooler units -")
@click.argument("file", type=click.File(encoding="utf-8"))
def units(file: TextIO) -> None:
    """Say which units people are in, by FILE: CSV, or - for standard input. A line is a person: id,unit,unit within it.

    Pictures of topics show units, and recommendations are spread over them. Whoever is not in the file stays where they
    are; a line with an id alone takes its person out of all units.
    """
    given = read(file)
    config = settings.load()
    run(store(bus_of(config), given))
    click.echo(f"units of {len(given):,} people stored", err=True)


def read(lines: Iterable[str]) -> Units:
    """Return the units in lines of CSV; raises Stop that names the line which is wrong. Lines with # are comments."""
    found: dict[str, list[str]] = {}
    rows = csv.reader(lines, strict=True)
    try:
        for row in rows:
            person, *theirs = (cell.strip() for cell in row or [""])
            if not any((person, *theirs)) or person.startswith("#"):
                continue
            if not person or any(len(cell) > LONGEST for cell in (person, *theirs)):
                raise Stop(
                    f"line {rows.line_num}: expected a person's id, then units, each of 1 to {LONGEST} characters"
                )
            found[person] = [unit for unit in theirs if unit]
    except (csv.Error, UnicodeDecodeError) as error:
        raise Stop(f"line {rows.line_num}: not CSV in UTF-8 ({error})") from error
    return found


async def store(bus: Bus, given: Units) -> None:
    """Publish the units of people; what else is known of them stays. Returns once it is stored."""
    known, codec = _People(bus), Codec(topics.PERSON.schema)
    publisher = await bus.publisher()
    try:
        await known.load()
        people = list(given)
        for start in range(0, len(people), _AT_ONCE):
            some = people[start : start + _AT_ONCE]
            await publisher.publish(
                Outgoing(
                    topic=topics.PERSON.name(bus.prefix),
                    key=person,
                    value=codec.encode(_record(known.records.get(person), person, given[person])),
                )
                for person in some
            )
    finally:
        await publisher.stop()
        await known.stop()


def _record(before: Mapping[str, Any] | None, person: str, theirs: list[str]) -> dict[str, Any]:
    unknown = {"id": person, "name": "", "accounts": [], "optOut": False, "settings": {}}
    return {**(before or unknown), "units": theirs, "recorded": datetime.now(UTC)}
