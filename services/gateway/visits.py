"""Makes a request one visit to the index, until it is answered or its client has gone."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from services.gateway.keys import TURNS


@contextmanager
def visiting(request: web.Request) -> Iterator[None]:
    """Make what the block asks the index one visit, which asks no more once nobody waits for the answer."""

    def gone() -> bool:
        return request.transport is None or request.transport.is_closing()

    with request.app[TURNS].visit(gone):
        yield
