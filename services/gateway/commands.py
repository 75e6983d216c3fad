"""``watercooler gateway``."""

import click

from services.common import run, settings


@click.command()
def gateway() -> None:
    """Serve the page, the API and the live stream until stopped.

    \b
    Example:  WATERCOOLER_AUTH=demo watercooler gateway
    """
    from services.gateway.service import gateway as service

    run.main("gateway", service, settings.load())
