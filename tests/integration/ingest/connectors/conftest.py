"""What tests of connectors over their real servers share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest

from services.common.model import Activity
from services.ingest.connector import Batch, Tools

Look = Callable[[AsyncIterator[Batch], Callable[[list[Activity]], bool]], Awaitable[tuple[list[Activity], str]]]


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(source="tried", mask=lambda text: sha256(f"key {text}".encode()).hexdigest(), state=tmp_path)


@pytest.fixture
def watch() -> Look:
    """Read a live side until enough was seen; returns it with the last cursor. Fails after 20 s."""

    async def watching(
        batches: AsyncIterator[Batch], enough: Callable[[list[Activity]], bool]
    ) -> tuple[list[Activity], str]:
        found: list[Activity] = []
        cursor = ""
        async with asyncio.timeout(20):
            async for batch in batches:
                assert batch.failures == () or batch.failures == []
                found += batch.activities
                cursor = batch.cursor or cursor
                if enough(found):
                    break
        return found, cursor

    return watching
