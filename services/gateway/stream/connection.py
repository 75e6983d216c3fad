"""One reader's connection: written to directly, bounded in bytes, cut when it does not keep up."""

import asyncio
from typing import Protocol

from services.common import metrics
from services.gateway.auth import Asker
from services.gateway.filters import Filters
from services.gateway.stream.wire import Form

UNSENT = 1 << 20
"""Bytes that may wait for one reader. What is cut loses nothing: the reader comes back with its last id."""


class Transport(Protocol):
    """The part of asyncio's transport that is used."""

    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    def is_closing(self) -> bool: ...
    def get_write_buffer_size(self) -> int: ...


class Connection:
    """A reader that follows the head of the stream, or is about to."""

    __slots__ = ("asker", "chunked", "ended", "filters", "form", "transport")

    def __init__(self, transport: Transport, asker: Asker, filters: Filters, form: Form, *, chunked: bool) -> None:
        self.transport = transport
        self.asker = asker
        self.filters = filters
        self.form = form
        self.chunked = chunked
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def write(self, payload: bytes) -> bool:
        """Send bytes that are ready for the wire; return False (and end) when the reader is gone or too slow."""
        transport = self.transport
        if transport.is_closing():
            self.end("gone")
            return False
        if transport.get_write_buffer_size() > UNSENT:
            transport.abort()
            metrics.STREAM_CUT.labels("slow").inc()
            self.end("slow")
            return False
        transport.write(payload)
        return True

    @property
    def gone(self) -> bool:
        """Whether nobody reads any more."""
        return self.ended.done() or self.transport.is_closing()

    def end(self, why: str) -> None:
        """Let the handler finish."""
        if not self.ended.done():
            self.ended.set_result(why)
