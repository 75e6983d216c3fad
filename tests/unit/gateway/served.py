"""A gateway in a thread of its own, for tools that ask from outside and are not asynchronous: fuzzers, raw sockets."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from hypothesis import settings

from tests.unit.gateway.organisation import happen
from tests.unit.gateway.test_access_property import RICH
from tests.unit.gateway.world import World, world

LONG = settings.get_current_profile_name() == "long"
"""Whether as much as possible is tried, each time something else; otherwise the same few each time."""
OTHERS_DRAW = "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
"""The gateway, in its thread, draws numbers while Hypothesis looks whether the test does."""
_PATIENCE = 60.0
Worlds = Callable[[], AbstractAsyncContextManager[World]]


def roomy() -> AbstractAsyncContextManager[World]:
    """Return a gateway over twins that refuses nothing for there being too much of it."""
    most = 1_000_000
    return world(
        gateway_streams=most,
        gateway_streams_per_person=most,
        gateway_streams_per_address=most,
        gateway_says_per_minute=most,
    )


@contextmanager
def served(worlds: Worlds = roomy) -> Iterator[int]:
    """Serve an organisation that has something of everything while the block runs; yields the port on loopback."""
    ready, loop, done = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    port: list[int] = []

    async def serve() -> None:
        async with worlds() as w:
            await happen(w, RICH)
            port.append(w.client.port or 0)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="gateway", daemon=True)
    thread.start()
    try:
        assert ready.wait(_PATIENCE), "the gateway did not start"
        yield port[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(_PATIENCE)
        loop.close()


def asked(port: int, sent: bytes, *, within: float = 10.0, limit: int = 1 << 20) -> bytes:
    """Send bytes as they are; return what came back until the other side closed, or ``limit`` bytes of it."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=within) as connection:
        try:
            connection.sendall(sent)
            while len(found) < limit and (part := connection.recv(65_536)):
                found += part
        except ConnectionError:
            return found  # cut, as it may be: what came before it counts
    return found


def get(port: int, target: str, *headers: bytes, method: str = "GET", body: bytes = b"", limit: int = 1 << 20) -> bytes:
    """Ask by one request of one connection, nothing of it encoded or checked on the way."""
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *headers]
    lines += [b"Content-Length: %d" % len(body)] if body else []
    return asked(port, b"\r\n".join(lines) + b"\r\n\r\n" + body, limit=limit)


def status(answer: bytes) -> int:
    """Return the status of an answer."""
    return int(answer[9:12])
