"""One reader's connection to one feed: written to directly, bounded in bytes, cut when it does not keep up."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from services.common import metrics
from services.gateway.auth import Asker
from services.gateway.stream.position import BETWEEN, Shown
from services.gateway.stream.selection import Selection
from services.gateway.stream.wire import Form

UNSENT = 1 << 20
"""Bytes that may wait for one reader. What is cut loses nothing: the reader comes back with its last id."""


class Transport(Protocol):
    """The part of asyncio's transport that is used."""

    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...
    def is_closing(self) -> bool: ...
    def get_write_buffer_size(self) -> int: ...


class Connection:
    """A reader that follows the head of a feed, or is about to.

    A reader of several feeds has one of these for each: they share the transport and the end, and each writes ids that
    hold the places of all, so that the reader can come back with any of them.
    """

    __slots__ = ("asker", "beside", "chunked", "ended", "form", "place", "selection", "shown", "transport")

    def __init__(
        self,
        transport: Transport,
        asker: Asker,
        selection: Selection,
        form: Form,
        *,
        chunked: bool,
        ended: "asyncio.Future[str] | None" = None,
    ) -> None:
        self.transport = transport
        self.asker = asker
        self.selection = selection
        self.form = form
        self.chunked = chunked
        self.ended: asyncio.Future[str] = ended or asyncio.get_running_loop().create_future()
        self.beside: Sequence[Connection] = ()
        """The same reader's connections to other feeds."""
        self.place: Callable[[], str] = str
        """Returns the id of where this reader is in the feed."""
        self.shown: Shown = frozenset()
        """Records that the reader has seen already, on the page that it comes from."""

    def suffix(self) -> str:
        """Return what an id of this feed has to be followed by: the places in the other feeds."""
        return "".join(BETWEEN + other.place() for other in self.beside) if self.beside else ""

    def send(self, block: bytes) -> bool:
        """Send a block of its own; as ``write``."""
        return self.write(b"%x\r\n%s\r\n" % (len(block), block) if self.chunked else block)

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
