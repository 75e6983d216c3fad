"""The steps of enrichment: pure functions, one a file, in the order of services/enrich/pipeline.py."""

from typing import Protocol

from services.enrich.people import People
from services.enrich.places import Places


class Knowledge(Protocol):
    """What a step may look up beside the activity."""

    @property
    def people(self) -> People:
        """Who is behind an account."""

    @property
    def places(self) -> Places:
        """Where links lead."""
