"""`watercooler topics`: create the topics, compare them with the table, look into them, fence them off."""

from collections.abc import Sequence

import click

from services.common import settings as configuration
from services.common.bus import Difference
from services.common.commands import acl as acls
from services.common.commands.records import find
from services.common.commands.shared import as_json, bus_of, dump, print_table, run
from services.common.commands.tail import Tail
from services.common.settings import Settings
from services.common.topics import DAY_MS, TOPICS, Topic

_EXAMPLES = """
\b
Examples:
  watercooler topics apply
  watercooler topics tail activity -n 5
  watercooler topics acl --bootstrap kafka:9092 --team sales
"""


@click.group(epilog=_EXAMPLES)
def topics() -> None:
    """Create, compare, read and fence off the topics."""


@topics.command(epilog="\b\nExample:\n  watercooler topics apply")
@as_json
def apply(json_: bool) -> None:
    """Create topics that are missing and mend settings that differ. Never changes the number of partitions."""
    run(_apply(configuration.load(), json=json_))


async def _apply(settings: Settings, *, json: bool) -> None:
    admin = await bus_of(settings).admin()
    try:
        _print_differences(await admin.apply(TOPICS), json=json, empty="All topics are as they should be.")
    finally:
        await admin.stop()


@topics.command(epilog="\b\nExample:\n  watercooler topics diff || watercooler topics apply")
@as_json
@click.pass_context
def diff(context: click.Context, json_: bool) -> None:
    """Say how the topics of the cluster differ from the table; exits with 1 when they do."""
    found: list[Difference] = []
    run(_diff(configuration.load(), found))
    _print_differences(found, json=json_, empty="All topics are as they should be.")
    context.exit(1 if found else 0)


async def _diff(settings: Settings, found: list[Difference]) -> None:
    admin = await bus_of(settings).admin()
    try:
        found += await admin.diff(TOPICS)
    finally:
        await admin.stop()


def _print_differences(differences: Sequence[Difference], *, json: bool, empty: str) -> None:
    if json:
        rows = [{"topic": d.topic, "setting": d.setting, "wanted": d.wanted, "found": d.found} for d in differences]
        click.echo(dump(rows))
        return
    cells = [(d.topic, d.setting, d.found or "-", d.wanted or "-") for d in differences]
    print_table(("topic", "setting", "was", "should be"), cells, empty=empty)


@topics.command(epilog="\b\nExample:\n  watercooler topics describe activity profile")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@as_json
def describe(names: tuple[str, ...], json_: bool) -> None:
    """Show what each topic holds, how it is keyed and kept, and what the cluster has of it."""
    settings = configuration.load()
    chosen = [find(name, settings.topic_prefix) for name in names] or list(TOPICS)
    run(_describe(settings, chosen, json=json_))


async def _describe(settings: Settings, chosen: Sequence[Topic], *, json: bool) -> None:
    admin = await bus_of(settings).admin()
    try:
        there = await admin.describe([topic.name(settings.topic_prefix) for topic in chosen])
    finally:
        await admin.stop()
    rows = []
    for topic in chosen:
        found = there.get(topic.name(settings.topic_prefix))
        rows.append(
            {
                "topic": topic.name(settings.topic_prefix),
                "key": topic.key,
                "placed by": topic.placed_by,
                "kept": kept(topic),
                "written by": " ".join(topic.writers),
                "partitions": found.facts.partitions if found else None,
                "replicas": found.facts.replicas if found else None,
                "holds": topic.doc,
            }
        )
    if json:
        click.echo(dump([{**row, "shared": topic.shared} for row, topic in zip(rows, chosen, strict=True)]))
        return
    missing = "missing"
    print_table(
        tuple(rows[0]), [[missing if cell is None else str(cell) for cell in row.values()] for row in rows], empty=""
    )


def kept(topic: Topic) -> str:
    """Return how long a topic keeps its records, in words."""
    policy = topic.config["cleanup.policy"]
    if "retention.ms" not in topic.config:
        return policy
    return f"{policy.replace(',', ', ')} ({int(topic.config['retention.ms']) // DAY_MS} d)"


@topics.command(
    epilog="\b\nExamples:\n  watercooler topics tail enriched\n  watercooler topics tail activity -n 3 --json"
)
@click.argument("name")
@click.option("--from-beginning", is_flag=True, help="Start with the oldest record that is kept.")
@click.option(
    "-n", "limit", type=click.IntRange(min=1), help="Stop after so many; without --from-beginning: the newest."
)
@click.option("--to-end", is_flag=True, help="Stop at the present end instead of waiting for more.")
@click.option("--json", "json_", is_flag=True, help="One JSON document a line, with all fields and headers.")
def tail(name: str, from_beginning: bool, limit: int | None, to_end: bool, json_: bool) -> None:
    """Print the records of a topic as they come, readable, until Ctrl-C. NAME is such as activity or activity.v1."""
    settings = configuration.load()
    topic = find(name, settings.topic_prefix)
    run(Tail(bus_of(settings), topic, json=json_, limit=limit, to_end=to_end).run(from_beginning=from_beginning))


@topics.command(epilog="\b\nExample:\n  watercooler topics acl --bootstrap kafka:9092 --team sales > acls.sh")
@click.option("--bootstrap", help="Bootstrap servers for the tool; those of the settings when absent.")
@click.option(
    "--principal", default="User:watercooler-{}", show_default=True, help="Form of the services' names; {} the service."
)
@click.option("--team", "teams", multiple=True, help="A team that may read what is shared; may be repeated.")
def acl(bootstrap: str | None, principal: str, teams: tuple[str, ...]) -> None:
    """Print the commands of Kafka's own tool that let each service do its part and keep everybody else out."""
    settings = configuration.load()
    for line in acls.commands(settings.topic_prefix, bootstrap or settings.kafka, principal, teams):
        click.echo(line)
