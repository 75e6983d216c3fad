"""The indexer's tests share one way to a world of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.indexer.world import World
from tests.integration.indexer.world import world as make


@pytest.fixture
async def world(kafka: str, elastic: str) -> AsyncIterator[World]:
    """Topics and indices of the test's own."""
    async with make(kafka, elastic) as made:
        yield made
