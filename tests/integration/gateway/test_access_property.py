"""The property of tests/unit/gateway/test_access_property.py once more, on the real log and the real index."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.gateway.picture import counting
from services.gateway.web import thing
from tests.integration.gateway.conftest import fresh
from tests.unit.gateway.test_access_property import RICH, compare
from tests.unit.gateway.world import World, world

pytestmark = pytest.mark.integration


async def test_everything_answers_as_if_what_is_forbidden_were_not_there(
    bootstrap: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thing, "_INDEX_SECONDS", 0.0)
    monkeypatch.setattr(counting, "LEAST", 1)

    @asynccontextmanager
    async def real() -> AsyncIterator[World]:
        async with fresh(bootstrap, url) as servers, world(servers.bus, servers.search) as made:
            yield made

    await compare(RICH, real, people=["ann"])
