"""Outgoing HTTP for connectors: one client per source, with its budget, limits, patience, and clear errors.

Requests stay on the origins the source is configured with, so that neither a redirect nor a "next" link takes a token
elsewhere. The first tries happen here; what lasts longer is raised as Retry, for the runner to wait without holding on.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import aiohttp
import orjson
from aiohttp import (
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    CookieJar,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.helpers import is_ip_address
from aiohttp.resolver import ThreadedResolver
from aiohttp_retry import JitterRetry, RetryClient
from aiolimiter import AsyncLimiter
from yarl import URL

from services.common import metrics
from services.common.clock import Clock, now
from services.common.errors import Reject, Retry, Stop
from services.common.http_rules import failure, is_public, may_follow, retry_after, shown

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TRANSIENT = (aiohttp.ClientConnectionError, asyncio.TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How to speak to one source.

    ``requests`` per ``seconds`` are its budget. A pause that the source asks for is waited for here up to ``patience``
    seconds. ``setting`` names what a person mends on 401 and 403. ``public_only`` refuses addresses inside, for URLs
    that somebody else than the operator has chosen.
    """

    requests: float = 10
    seconds: float = 1
    attempts: int = 3
    backoff: float = 0.5
    patience: float = 30
    timeout: float = 60
    largest: int = 32 * 1024 * 1024
    connections: int = 4
    setting: str = "token"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    also: tuple[str, ...] = ()
    public_only: bool = False
    cookies: bool = False
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. ``url`` is where it came from after redirects."""

    status: int
    url: URL
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON; raises Retry when it is not: between us and an API stand proxies with pages."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            kind = self.headers.get("Content-Type", "no content type")
            raise Retry(f"{shown(self.url)} answered with {kind}, not with JSON; is the address right?") from error


@asynccontextmanager
async def opened(
    source: str, url: str, options: HttpOptions | None = None, *, clock: Clock = now
) -> AsyncIterator["Http"]:
    """Yield a client for the source at ``url``; relative URLs are joined to it. Raises Stop on a URL that is none."""
    http = Http(source, url, options or HttpOptions(), clock)
    try:
        yield http
    finally:
        await http.close()


class Http:
    """Requests to one source. Make it with ``opened``."""

    def __init__(self, source: str, url: str, options: HttpOptions, clock: Clock) -> None:
        self._source = source
        self._base = _absolute(source, url)
        self._origins = frozenset(_absolute(source, one).origin() for one in (url, *options.also))
        self._options = options
        self._clock = clock
        self._limiter = AsyncLimiter(options.requests, options.seconds)
        self._held_until = 0.0
        self._session = ClientSession(
            connector=TCPConnector(limit=options.connections, resolver=Outside() if options.public_only else None),
            # "unsafe" lets a host that is known by its IP address have a session too; cookies never leave the origins.
            cookie_jar=CookieJar(unsafe=True) if options.cookies else DummyCookieJar(),
            headers={"User-Agent": _user_agent(source, options.contact), **options.headers},
            timeout=ClientTimeout(total=options.timeout, connect=10),
            middlewares=(self._within_bounds, self._within_budget),
            trust_env=True,
        )
        self._client = RetryClient(client_session=self._session)

    async def get(self, url: str | URL, **more: Any) -> Answer:
        """As ``request`` with GET."""
        return await self.request("GET", url, **more)

    async def post(self, url: str | URL, **more: Any) -> Answer:
        """As ``request`` with POST; never sent twice by itself."""
        return await self.request("POST", url, **more)

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        allow: Collection[int] = (),
        timeout: float | None = None,  # noqa: ASYNC109 - it becomes aiohttp's, per try
        **more: Any,
    ) -> Answer:
        """Return the answer. ``more`` is what aiohttp takes (params, json, data, headers).

        Raises Retry (busy, broken, too slow; ``after`` set where the source said), Reject (404 and other 4xx, too
        large), Stop (401, 403, another host, a certificate that does not hold). Statuses in ``allow`` are answers.
        """
        target = self._base.join(URL(url))
        if timeout is not None:
            more["timeout"] = ClientTimeout(total=timeout, connect=10)
        try:
            async with self._client.request(
                method, target, retry_options=_Patient(self._options, method, allow), max_redirects=5, **more
            ) as response:
                error = self._failure(response)
                if error and response.status not in allow:
                    raise error
                return Answer(
                    status=response.status,
                    url=response.url,
                    headers=response.headers,
                    body=await self._body(response),
                )
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError) as error:
            raise self._broken(target, error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    def _failure(self, response: ClientResponse) -> Exception | None:
        return failure(
            self._source, self._options.setting, response.url, response.status, response.headers, self._clock()
        )

    async def _body(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._options.largest:
                raise Reject(
                    f"source {self._source}: {shown(response.url)} answers with more than {self._options.largest} bytes"
                )
        return bytes(body)

    def _broken(self, url: URL, error: Exception) -> Retry | Stop:
        what = f"source {self._source}: {shown(url)}"
        if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
            return Stop(f"{what} shows a certificate that does not hold; mend it, or trust its authority here")
        if isinstance(error, aiohttp.TooManyRedirects):
            return Stop(f"{what} redirects in a circle; check the setting 'url' of this source")
        if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
            return Stop(f"{what} leads to something that is not an http(s) URL; check the setting 'url' of this source")
        if isinstance(error, TimeoutError):
            return Retry(f"{what} did not answer in time")
        return Retry(f"{what} could not be reached or broke off ({type(error).__name__})")

    async def _within_bounds(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if not may_follow(request.url, self._origins):
            raise Stop(
                f"source {self._source}: a link or redirect leads to {request.url.origin()}, which is not part of this"
                " source; it is not followed: check the setting 'url' of this source"
            )
        host = request.url.host or ""
        # aiohttp asks no resolver for a literal address.
        if self._options.public_only and is_ip_address(host) and not is_public(host):
            raise Reject(f"source {self._source}: {host} is an address inside, which is not asked")
        return await handler(request)

    async def _within_budget(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        loop = asyncio.get_running_loop()
        await self._limiter.acquire()
        while (pause := self._held_until - loop.time()) > 0:
            if pause > self._options.patience:
                raise Retry(f"source {self._source} asked for a pause", after=pause)
            await asyncio.sleep(pause)
        try:
            response = await handler(request)
        except Exception as error:
            metrics.SOURCE_REQUESTS.labels(self._source, type(error).__name__).inc()
            raise
        metrics.SOURCE_REQUESTS.labels(self._source, str(response.status)).inc()
        if response.status in (403, 429, 503):
            pause = retry_after(response.headers, self._clock()) or 0.0
            self._held_until = max(self._held_until, loop.time() + pause)
        return response


class _Patient(JitterRetry):
    """Tries again what may succeed; only what may be sent twice is sent twice."""

    def __init__(self, options: HttpOptions, method: str, allow: Collection[int]) -> None:
        super().__init__(
            attempts=options.attempts if method.upper() in _SAFE else 1,
            start_timeout=options.backoff / 2,
            random_interval_size=options.backoff,
            exceptions=set(_TRANSIENT),
            retry_all_server_errors=False,
            evaluate_response_callback=self._is_final,
        )
        self._patience = options.patience
        self._allow = allow

    async def _is_final(self, response: ClientResponse) -> bool:
        transient = response.status == 429 or response.status >= 500
        if not transient or response.status in self._allow:
            return True
        return (retry_after(response.headers, now()) or 0.0) > self._patience

    def get_timeout(self, attempt: int, response: ClientResponse | None = None) -> float:
        """Return the pause; what the source asked for is waited for by the budget, for all requests alike."""
        if response is not None:
            response.release()
        return float(super().get_timeout(attempt, response))


class Outside(AbstractResolver):
    """Resolves names to public addresses only, at the moment of connecting, so that a name cannot change its mind.

    ``allowed`` may judge addresses otherwise.
    """

    def __init__(self, allowed: Callable[[str], bool] = is_public) -> None:
        self._resolver = ThreadedResolver()
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses that may be asked; raises Reject where there are none but those inside."""
        found = [one for one in await self._resolver.resolve(host, port, family) if self._allowed(one["host"])]
        if not found:
            raise Reject(f"{host} is an address inside, which is not asked")
        return found

    async def close(self) -> None:
        """Close."""
        await self._resolver.close()


def _absolute(source: str, url: str) -> URL:
    try:
        parsed = URL(url)
    except ValueError as error:
        raise Stop(f"source {source}: the setting 'url' is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Stop(f"source {source}: the setting 'url' is not an http(s) URL, such as https://wiki.example/w/api.php")
    return parsed


def _user_agent(source: str, contact: str) -> str:
    about = f"source {source}; {contact}" if contact else f"source {source}"
    return f"watercooler/{version('watercooler')} ({about})"
