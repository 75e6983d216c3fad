"""The gateway that is asked, and one stream of it as a browser would read it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, ClientSession

from tests.fixtures.sse import Event, blocks


class Broken(Exception):
    """A promise is not kept; the text says how."""


class Untried(Exception):
    """A promise cannot be looked at here; the text says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A gateway. What is empty or None is not there, and what needs it is not tried."""

    urls: Sequence[str]
    session: ClientSession
    path: str = "/v1/stream"
    page: str = "/v1/activities"
    sets: str = "/v1/me/streams"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = "id"
    """Field of an event's data that names it."""
    stale: str = ""
    """An id that cannot be gone on from."""
    limit: int = 0
    """Streams that one reader may have."""
    publish: Callable[[int], Awaitable[None]] | None = None
    """Makes so many new events happen that the reader may see."""
    restart: Callable[[], Awaitable[None]] | None = None
    """Ends the first process, orderly, and starts it again."""
    patience: float = 20.0

    async def happen(self, count: int) -> None:
        """Let events happen."""
        if self.publish is None:
            raise Untried("nothing was given that lets events happen (--publish)")
        await self.publish(count)

    @asynccontextmanager
    async def open(
        self,
        *,
        url: str = "",
        address: str = "",
        last: str = "",
        headers: Mapping[str, str] | None = None,
        **params: str,
    ) -> AsyncIterator["Stream"]:
        """Read a stream while the block runs."""
        asked = {**self.headers, "Accept": "text/event-stream", **(headers or {})}
        if last:
            asked["Last-Event-ID"] = last
        where = address or (url or self.urls[0]) + self.path
        async with self.session.get(
            where, params={} if address else {**self.params, **params}, headers=asked
        ) as answer:
            stream = Stream(answer, self)
            reading = asyncio.create_task(stream.read())
            try:
                yield stream
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    @asynccontextmanager
    async def ask(self, address: str, **params: str) -> AsyncIterator[ClientResponse]:
        """Ask for anything else."""
        where = address if "://" in address else self.urls[0] + address
        asked = {} if "://" in address else {**self.params, **params}
        async with self.session.get(where, params=asked, headers=self.headers) as answer:
            yield answer


@dataclass
class Stream:
    """What a stream has given so far."""

    answer: ClientResponse
    target: Target
    events: list[Event] = field(default_factory=list)
    ended: bool = False

    async def read(self) -> None:
        """Read to the end."""
        if self.answer.status == 200:
            async for event in blocks(self.answer.content):
                self.events.append(event)
        self.ended = True

    @property
    def last(self) -> str:
        """The newest id."""
        return next((event.id for event in reversed(self.events) if event.id), "")

    @property
    def retry(self) -> int | None:
        """When to come back, in ms, as it was said last."""
        return next((event.retry for event in reversed(self.events) if event.retry is not None), None)

    def given(self) -> list[Event]:
        """Return the events that carry something that happened."""
        return [event for event in self.events if event.data and event.type in ("message", "redacted")]

    def keys(self) -> list[str]:
        """Return what names them."""
        return [str(_field(json.loads(event.data), self.target.key)) for event in self.given()]

    async def begun(self) -> str:
        """Return the first id."""
        await self.until(lambda: bool(self.last) or self.answer.status != 200, "the id of where it begins, at once")
        require(self.answer.status == 200, f"the stream was answered with {self.answer.status}")
        return self.last

    async def until(self, check: Callable[[], bool], what: str, *, within: float = 0.0) -> None:
        """Wait for something; Broken where it does not come."""
        end = time.monotonic() + (within or self.target.patience)
        while not check():
            if time.monotonic() > end:
                raise Broken(f"not within {within or self.target.patience:.0f} s: {what}")
            await asyncio.sleep(0.01)

    async def count(self, number: int) -> list[str]:
        """Wait for so many events; returns their names."""
        await self.until(lambda: len(self.given()) >= number, f"{number} events (there are {len(self.given())})")
        return self.keys()


def _field(data: Any, name: str) -> Any:
    for part in name.split("."):
        data = data.get(part, "") if isinstance(data, dict) else ""
    return data


def require(good: bool, otherwise: str) -> None:
    """Raise Broken unless it is so."""
    if not good:
        raise Broken(otherwise)
