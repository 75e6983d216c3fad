"""The client of connectors against a server on this machine that behaves as badly as real ones do."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.common import metrics
from services.common.errors import Reject, Retry, Stop
from services.common.http import Http, HttpOptions, opened

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Nasty:
    """A server whose one route answers with the handlers given, one after another; the last one stays."""

    def __init__(self) -> None:
        self.handlers: list[Handler] = []
        self.seen: list[web.Request] = []
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
        return await handler(request)

    def answers(self, *handlers: Handler) -> None:
        self.handlers = list(handlers)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/api"))


def status(code: int, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


async def good(_: web.Request) -> web.Response:
    return web.json_response({"good": True})


@pytest.fixture
async def nasty() -> AsyncIterator[Nasty]:
    made = Nasty()
    await made.server.start_server()
    yield made
    await made.server.close()


def options(**changed: Any) -> HttpOptions:
    return HttpOptions(**{"requests": 1000, "backoff": 0.01, "timeout": 5, **changed})


@pytest.fixture
async def http(nasty: Nasty) -> AsyncIterator[Http]:
    async with opened("wiki", nasty.url, options(headers={"Authorization": "Bearer hunter2"})) as made:
        yield made


async def test_an_answer_is_read_whole(nasty: Nasty, http: Http) -> None:
    nasty.answers(good)
    answer = await http.get("page", params={"n": "1"})
    assert answer.json() == {"good": True}
    assert nasty.seen[0].path_qs == "/page?n=1"
    assert nasty.seen[0].headers["User-Agent"].startswith("watercooler/")
    assert nasty.seen[0].headers["Authorization"] == "Bearer hunter2"


async def test_a_passing_failure_is_tried_again(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(502), status(429), good)
    assert (await http.get("")).json() == {"good": True}
    assert len(nasty.seen) == 3


async def test_what_lasts_is_handed_to_the_runner(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(503))
    with pytest.raises(Retry, match="source wiki"):
        await http.get("")
    assert len(nasty.seen) == 3


async def test_a_post_is_never_sent_twice(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(502), good)
    with pytest.raises(Retry):
        await http.post("", json={})
    assert len(nasty.seen) == 1


async def test_a_short_pause_is_waited_for(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(429, Retry_After="1"), good)
    began = asyncio.get_running_loop().time()
    await http.get("")
    assert asyncio.get_running_loop().time() - began >= 1


async def test_a_long_pause_goes_to_the_runner_and_holds_for_every_request(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(429, Retry_After="600"), good)
    with pytest.raises(Retry) as first:
        await http.get("")
    assert first.value.after == 600
    with pytest.raises(Retry) as second:
        await http.get("other")
    assert second.value.after == pytest.approx(600, abs=5)
    assert len(nasty.seen) == 1


@pytest.mark.parametrize(("code", "kind"), [(401, Stop), (403, Stop), (404, Reject), (400, Reject)])
async def test_a_lasting_failure_is_asked_once(nasty: Nasty, http: Http, code: int, kind: type[Exception]) -> None:
    nasty.answers(status(code))
    with pytest.raises(kind) as raised:
        await http.get("", params={"secret": "hunter2"})
    assert len(nasty.seen) == 1
    assert "hunter2" not in str(raised.value)


async def test_a_status_may_be_allowed(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(503))
    assert (await http.get("", allow={503})).status == 503
    assert len(nasty.seen) == 1


async def test_a_redirect_on_the_same_host_is_followed(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(302, Location="/elsewhere"), good)
    assert (await http.get("")).url.path == "/elsewhere"


async def test_a_redirect_to_another_host_is_not_followed(nasty: Nasty, http: Http) -> None:
    other = Nasty()
    await other.server.start_server()
    other.answers(good)
    nasty.answers(status(302, Location=other.url))
    with pytest.raises(Stop, match="not part of this source"):
        await http.get("")
    assert not other.seen
    async with opened("wiki", nasty.url, options(also=(other.url,))) as allowed:
        assert (await allowed.get("")).json() == {"good": True}
    await other.server.close()


async def test_a_next_link_to_another_host_takes_no_token_there(nasty: Nasty, http: Http) -> None:
    with pytest.raises(Stop, match=r"evil\.example"):
        await http.get("http://evil.example/page/2")


async def test_a_circle_of_redirects_ends(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(302, Location="/again"))
    with pytest.raises(Stop, match="circle"):
        await http.get("")


async def test_a_redirect_to_a_file_is_not_followed(nasty: Nasty, http: Http) -> None:
    nasty.answers(status(302, Location="file:///etc/passwd"))
    with pytest.raises(Stop):
        await http.get("")


async def test_a_body_without_end_is_cut(nasty: Nasty) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x" * 10_000)
        return response

    nasty.answers(endless)
    async with opened("wiki", nasty.url, options(largest=100_000)) as http:
        with pytest.raises(Reject, match="more than 100000 bytes"):
            await http.get("")


async def test_a_small_body_that_unpacks_large_is_cut(nasty: Nasty) -> None:
    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"})

    nasty.answers(bomb)
    async with opened("wiki", nasty.url, options(largest=100_000)) as http:
        with pytest.raises((Reject, Retry)):
            await http.get("")


async def test_a_server_that_never_ends_its_answer_is_left(nasty: Nasty) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await response.write(b".")
            await asyncio.sleep(0.05)
        return response

    nasty.answers(trickle)
    async with opened("wiki", nasty.url, options(timeout=0.3, attempts=1)) as http:
        with pytest.raises(Retry, match="in time"):
            await http.get("")


async def test_a_long_poll_has_its_own_time(nasty: Nasty) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.json_response({})

    nasty.answers(slow)
    async with opened("chat", nasty.url, options(timeout=0.2, attempts=1)) as http:
        assert (await http.get("", timeout=5)).status == 200


async def test_an_answer_cut_in_the_middle_is_tried_later() -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    await _raw(cut, Retry)


async def test_what_is_not_http_is_tried_later() -> None:
    async def gibberish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example ESMTP\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    await _raw(gibberish, Retry)


async def _raw(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], kind: type[Exception]
) -> None:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened("wiki", f"http://127.0.0.1:{port}/", options(attempts=1)) as http:
        with pytest.raises(kind, match=f"127.0.0.1:{port}"):
            await http.get("")


async def test_nobody_there_is_tried_later() -> None:
    async with opened("wiki", "http://127.0.0.1:9/", options()) as http:
        with pytest.raises(Retry, match="could not be reached"):
            await http.get("")


async def test_a_page_instead_of_json_says_so(nasty: Nasty, http: Http) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>please log in</html>", content_type="text/html")

    nasty.answers(page)
    answer = await http.get("")
    with pytest.raises(Retry, match=r"text/html.*not with JSON"):
        answer.json()


@pytest.mark.parametrize("inside", ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/"])
async def test_addresses_inside_are_not_asked_for_strangers(inside: str) -> None:
    async with opened("hook", inside, options(public_only=True)) as http:
        with pytest.raises(Reject, match="inside"):
            await http.get("")


async def test_the_budget_holds(nasty: Nasty) -> None:
    nasty.answers(good)
    async with opened("wiki", nasty.url, options(requests=2, seconds=0.5)) as http:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(http.get("") for _ in range(5)))
        assert asyncio.get_running_loop().time() - began >= 0.7


async def test_requests_are_counted_by_status(nasty: Nasty, http: Http) -> None:
    def counted(code: str) -> float:
        value = metrics.REGISTRY.get_sample_value(
            "watercooler_source_requests_total", {"source": "wiki", "status": code}
        )
        return value or 0.0

    before = counted("200"), counted("502")
    nasty.answers(status(502), good)
    await http.get("")
    assert (counted("200"), counted("502")) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("url", ["", "wiki.example", "ftp://wiki.example/", "http://", "/etc/passwd", "http://[::1"])
async def test_a_url_that_is_none_is_said_so(url: str) -> None:
    with pytest.raises(Stop, match=r"source wiki: the setting 'url' is not"):
        async with opened("wiki", url):
            pass
