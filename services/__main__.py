"""The one command, ``watercooler``: a sub-command per service and per operation, each loaded when it is asked for."""

import sys
from importlib import import_module
from importlib.metadata import version

import click

from services.common.errors import WatercoolerError

COMMANDS = {
    "up": "services.standalone.commands:up",
    "down": "services.standalone.commands:down",
    "status": "services.standalone.commands:status",
    "ingest": "services.ingest.commands:ingest",
    "import": "services.ingest.commands:import_",
    "sources": "services.ingest.commands:sources",
    "enrich": "services.enrich.commands:enrich",
    "score": "services.enrich.commands:score",
    "evaluate": "services.enrich.judge.commands:evaluate",
    "hindsight": "services.enrich.judge.commands:hindsight",
    "train": "services.enrich.learning.commands:train",
    "index": "services.indexer.commands:index",
    "reindex": "services.indexer.commands:reindex",
    "gateway": "services.gateway.commands:gateway",
    "tokens": "services.gateway.commands:tokens",
    "units": "services.common.commands.units:units",
    "topics": "services.common.commands.topics:topics",
    "dlq": "services.common.commands.dlq:dlq",
    "config": "services.common.commands.config:config",
}
"""Where each sub-command lives. One line a command; nothing else knows."""


class Commands(click.Group):
    """Loads a sub-command's module only when it is named, so that `--help` and start-up stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the sub-command, or None where there is no such."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("watercooler"), prog_name="watercooler")
def cli() -> None:
    """Watercooler: an activity stream for the inside of an organisation.

    \b
    Try it:            watercooler up --demo
    With own sources:  watercooler up --source git:. --source mediawiki:https://wiki.example/api.php
    """


def main() -> None:
    """Run the command; an error raised on purpose becomes one sentence and a non-zero exit."""
    try:
        cli(prog_name="watercooler")
    except WatercoolerError as error:
        click.echo(f"watercooler: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
