"""``watercooler index`` and ``watercooler reindex``."""

import click

from services.common import run
from services.common.settings import load
from services.indexer.app import service


@click.command()
def index() -> None:
    """Write what arrives into the index, and who may open it; runs until stopped."""
    run.main("indexer", service, load())
