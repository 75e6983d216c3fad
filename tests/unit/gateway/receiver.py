"""A receiver of webhooks that may behave badly: each request is answered by the next of what it was told to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Got:
    """One request."""

    body: bytes
    headers: dict[str, str]


@dataclass
class Receiver:
    """``plan`` holds statuses, or "cut" and "slow"; afterwards all is taken."""

    url: str = ""
    plan: list[Any] = field(default_factory=list)
    then: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    elsewhere: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer as planned."""
        self.got.append(Got(await request.read(), {name.lower(): value for name, value in request.headers.items()}))
        what = self.plan.pop(0) if self.plan else self.then
        if what == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if what == "slow":
            await asyncio.sleep(30)
            return web.Response()
        return web.Response(status=what, headers=self.headers)

    async def lost(self, _: web.Request) -> web.Response:
        """Count what was sent to where a redirect leads."""
        self.elsewhere += 1
        return web.Response()

    @property
    def ids(self) -> list[str]:
        """The ids of the messages, in the order of the requests."""
        return [one.headers["webhook-id"] for one in self.got]


@asynccontextmanager
async def receiver(*plan: Any, then: int = 204, **headers: str) -> AsyncIterator[Receiver]:
    """Run a receiver on this machine."""
    made = Receiver(plan=list(plan), then=then, headers={n.replace("_", "-"): v for n, v in headers.items()})
    app = web.Application()
    app.router.add_post("/in", made.take)
    app.router.add_route("*", "/elsewhere", made.lost)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/in"))
        yield made
