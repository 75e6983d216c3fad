"""The sub-commands `watercooler enrich` and `watercooler score`."""

import click

from services.common import run, settings


@click.command()
def enrich() -> None:
    """Run the enriching service: activity.v1 to enriched.v1 and public.v1.

    \b
    Example:  WATERCOOLER_KAFKA=127.0.0.1:9092 watercooler enrich
    """
    from services.enrich.app import service

    run.main("enrich", service, settings.load())


@click.command()
def score() -> None:
    """Run the scoring service: profiles and recommendations.

    \b
    Example:  WATERCOOLER_KAFKA=127.0.0.1:9092 watercooler score
    """
    from services.enrich.scoring.run import service

    run.main("score", service, settings.load())
