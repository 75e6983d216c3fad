"""``watercooler gateway`` and ``watercooler tokens``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from services.common import logs, run, settings
from services.common.commands.shared import as_json, bus_of, dump, print_table
from services.common.commands.shared import run as finish
from services.common.envelope import rfc3339
from services.common.errors import Stop
from services.common.settings import Settings
from services.gateway.api_tokens import LONGEST_DAYS, SCOPES, ApiToken, ApiTokens
from services.gateway.remembered import Remembered


@click.command()
def gateway() -> None:
    """Serve the page, the API and the live stream until stopped.

    \b
    Example:  WATERCOOLER_AUTH=demo watercooler gateway
    """
    from services.gateway.service import gateway as service

    run.main("gateway", service, settings.load())


_EXAMPLES = """
\b
Examples:
  watercooler tokens create ann --label "build server" --scope read --days 30
  watercooler tokens list
  watercooler tokens revoke 0123456789abcdef
"""


@click.group(epilog=_EXAMPLES)
def tokens() -> None:
    """Make, list and take back API tokens of people."""
    logs.configure("tokens", form="console", level="warning")


@tokens.command(epilog="\b\nExample:\n  watercooler tokens create ann --label laptop")
@click.argument("person")
@click.option("--label", required=True, help="What it is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), default=("read",), show_default=True)
@click.option("--days", type=click.FloatRange(0, LONGEST_DAYS, min_open=True), default=90, show_default=True)
@as_json
def create(person: str, label: str, scopes: tuple[str, ...], days: float, json_: bool) -> None:
    """Make a token for PERSON and print it. It is kept nowhere: copy it now."""
    finish(_create(settings.load(), person, label, scopes, days, json=json_))


@tokens.command("list", epilog="\b\nExample:\n  watercooler tokens list --person ann")
@click.option("--person", default="", help="Only this person's.")
@as_json
def list_(person: str, json_: bool) -> None:
    """List the tokens that serve, never the tokens themselves."""
    finish(_list(settings.load(), person, json=json_))


@tokens.command(epilog="\b\nExample:\n  watercooler tokens revoke 0123456789abcdef")
@click.argument("id_", metavar="ID")
def revoke(id_: str) -> None:
    """Take the token ID back, at once and for good."""
    finish(_revoke(settings.load(), id_))


@asynccontextmanager
async def _kept(configured: Settings) -> AsyncIterator[ApiTokens]:
    remembered = Remembered(bus_of(configured))
    found = ApiTokens(remembered)
    try:
        await remembered.start()
        await remembered.load()
        yield found
    finally:
        await remembered.stop()


async def _create(
    configured: Settings, person: str, label: str, scopes: tuple[str, ...], days: float, *, json: bool
) -> None:
    async with _kept(configured) as kept:
        made, text = await kept.create(person, label=label, scopes=scopes, days=days, by="operator")
    click.echo(dump(_row(made) | {"token": text}) if json else text)


async def _list(configured: Settings, person: str, *, json: bool) -> None:
    async with _kept(configured) as kept:
        rows = [_row(one) for one in kept.of(person)]
    if json:
        click.echo(dump(rows))
        return
    columns = ("id", "person", "label", "scopes", "created", "expires", "by")
    print_table(columns, [[str(row[name]) for name in columns] for row in rows], empty="There are no tokens.")


async def _revoke(configured: Settings, id_: str) -> None:
    async with _kept(configured) as kept:
        found = kept.get(id_)
        if found is None:
            raise Stop(f"there is no token {id_} that serves; see `watercooler tokens list`")
        await kept.revoke(found)
    click.echo(f"{found.person}'s token {found.label!r} serves nobody any more.")


def _row(one: ApiToken) -> dict[str, str]:
    return {
        "id": one.id,
        "person": one.person,
        "label": one.label,
        "scopes": " ".join(one.scopes),
        "created": rfc3339(one.created),
        "expires": rfc3339(one.expires),
        "by": one.by,
    }
