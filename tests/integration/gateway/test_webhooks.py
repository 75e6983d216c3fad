"""Webhooks of rules over real Kafka and Elasticsearch: several gateways share the work, and a restart loses nothing."""

from typing import Any

import orjson
import pytest

from tests.fixtures.stack import eventually
from tests.integration.gateway.conftest import Servers
from tests.unit.gateway.receiver import Receiver, receiver
from tests.unit.gateway.test_webhooks import news, sending
from tests.unit.gateway.world import world

pytestmark = pytest.mark.integration
_HERE: dict[str, Any] = {"webhook_loopback": True, "sealing_key": "of the tests"}


async def brought(to: Receiver, numbers: range) -> None:
    wanted = {f"chat:{n}#chat.message" for n in numbers}
    await eventually(
        lambda: wanted <= {orjson.loads(one.body)["id"] for one in to.got}, what=f"all of {numbers}", within=60
    )


async def test_two_gateways_share_the_work_and_what_is_owed_outlives_both(servers: Servers) -> None:
    async with receiver() as to:
        async with world(servers.bus, servers.search, **_HERE) as w, world(servers.bus, servers.search, **_HERE):
            await sending(w, to)
            await w.happens(*(news(n) for n in range(20)))
            await brought(to, range(20))
            to.then, to.headers = 503, {"Retry-After": "1"}
            await w.happens(*(news(n) for n in range(20, 30)))
            await eventually(lambda: w.parts.office.owed.count("ann", "birds") == 10, what="ten are owed", within=60)
        to.then = 204
        async with world(servers.bus, servers.search, **_HERE):
            await brought(to, range(30))
