"""An identity provider that is away or refuses: what those who ask meanwhile are told, and how often it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.common.errors import Retry
from services.gateway.oidc import Provider
from tests.unit.gateway.test_api_tokens import OIDC
from tests.unit.gateway.world import world


@dataclass
class Away:
    """A provider that answers everything with one status."""

    status: int
    issuer: str = ""
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Count."""
        self.asked.append(request.path)
        return web.Response(status=self.status)


@asynccontextmanager
async def away(status: int) -> AsyncIterator[Away]:
    """Run one."""
    made = Away(status)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.answer)
    async with TestServer(app) as server:
        made.issuer = str(server.make_url("")).rstrip("/")
        yield made


async def test_many_who_wait_for_a_provider_that_is_away_ask_it_once() -> None:
    async with away(503) as one:
        provider = Provider(one.issuer, "page")
        await provider.start()
        try:
            found = await asyncio.gather(*(provider._key({"kid": "a"}) for _ in range(5)), return_exceptions=True)
        finally:
            await provider.stop()
    assert ([type(error) for error in found], len(one.asked)) == ([Retry] * 5, 1)


async def test_a_provider_that_refuses_to_describe_itself_is_not_there_yet() -> None:
    async with away(403) as one, world(**{**OIDC, "oidc_issuer": one.issuer, "oidc_audience": "api"}) as w:
        answer = await w.client.get("/login", allow_redirects=False)
        assert (answer.status, "Retry-After" in answer.headers) == (503, True)
