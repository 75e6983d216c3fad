"""`watercooler tokens`: what the operator makes serves at the gateway, and what is taken back does not."""

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.gateway.commands import tokens
from tests.fixtures.stack import eventually
from tests.integration.gateway.conftest import Servers
from tests.unit.gateway.test_api_tokens import OIDC, status
from tests.unit.gateway.world import world

pytestmark = pytest.mark.integration


async def run(servers: Servers, bootstrap: str, *words: str) -> Result:
    environ = {"WATERCOOLER_KAFKA": bootstrap, "WATERCOOLER_TOPIC_PREFIX": servers.bus.prefix}
    return await asyncio.to_thread(CliRunner().invoke, tokens, list(words), env=environ)


async def test_the_operator_makes_lists_and_takes_back(servers: Servers, bootstrap: str) -> None:
    async with world(servers.bus, servers.search, **OIDC) as w:
        made = await run(servers, bootstrap, "create", "ann", "--label", "laptop", "--json")
        assert made.exit_code == 0, made.output
        new: dict[str, Any] = json.loads(made.stdout)

        async def serves() -> bool:
            return await status(w, new["token"]) == 200

        await eventually(serves, what="the token serves", within=20, pause=0.05)
        (row,) = json.loads((await run(servers, bootstrap, "list", "--json")).stdout)
        assert (row["id"], row["person"], row["by"], "token" in row) == (new["id"], "ann", "operator", False)
        assert "laptop" in (await run(servers, bootstrap, "revoke", new["id"])).stdout

        async def refused() -> bool:
            return await status(w, new["token"]) == 401

        await eventually(refused, what="the token is refused", within=5, pause=0.05)
        again = await run(servers, bootstrap, "revoke", new["id"])
        assert "tokens list" in str(again.exception)
