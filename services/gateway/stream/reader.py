"""What is left of a reader's connection once its stream is at the head: the hubs write, and nothing is read.

Until then aiohttp serves it as any request. Its request, parser, writer and waiting coroutines take some 12 KB for each
connection, and a stream may last for hours: so they are let go.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web


class Reader(asyncio.Protocol):
    """Notices that a reader is gone; ``lost`` is told once."""

    __slots__ = ("_lost",)

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost

    def data_received(self, data: bytes) -> None:
        """Pass over what a reader sends: after its request there is nothing to say."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell."""
        self._lost()


def take_over(request: web.Request, lost: Callable[[], None]) -> None:
    """Take the connection of a request whose response has begun; its handler has to return at once.

    aiohttp finds it lost then, and so forgets it without closing it.
    """
    protocol, transport = request.protocol, request.transport
    if transport is None:  # it is lost already
        lost()
        return
    transport.set_protocol(Reader(lost))
    # Before it is told: it would close what is not its own any more.
    protocol.transport = None
    protocol.connection_lost(None)
    if not transport.is_reading():  # it is noticed by reading that somebody is gone
        transport.resume_reading()
