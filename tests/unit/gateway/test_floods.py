"""Too much, too slowly, too deep: it is refused, soon, and others are served meanwhile."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from services.common import run
from services.gateway.handlers import bodies
from services.gateway.web.site import POSTS
from tests.unit.gateway.served import asked, get, served, status
from tests.unit.gateway.world import world

JSON = b"Content-Type: application/json"
NOTE = "/v1/notes?as=ann"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as one:
        yield one


def kind(answer: bytes) -> str:
    """Return the type of a problem document."""
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["type"].removeprefix("/docs#"))


@pytest.mark.parametrize("to", ["/v1/notes", "/v1/feedback", "/v1/me/streams/x", "/v1/me/tokens", "/v1/stream-token"])
def test_a_body_of_ten_megabytes_is_refused(port: int, to: str) -> None:
    method = "PUT" if to.endswith("/x") else "POST"
    answer = get(port, f"{to}?as=ann", JSON, method=method, body=b'"' + b"x" * 10_000_000 + b'"')
    assert (status(answer), kind(answer)) == (413, "too-large")


def test_a_body_that_grows_when_it_is_unpacked_is_refused(port: int) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    answer = get(port, NOTE, JSON, b"Content-Encoding: gzip", method="POST", body=packed)
    assert len(packed) < 65_536
    assert (status(answer), kind(answer)) == (413, "too-large")


@pytest.mark.parametrize(("coding", "body"), [(b"gzip", b"no gzip"), (b"deflate", b"\xff\xff")])
def test_a_body_that_is_not_what_its_header_says_is_refused(port: int, coding: bytes, body: bytes) -> None:
    answer = get(port, NOTE, JSON, b"Content-Encoding: " + coding, method="POST", body=body)
    assert (status(answer), kind(answer)) == (400, "bad-body")


def test_chunks_that_are_none_are_refused(port: int) -> None:
    head = b"POST /v1/notes?as=ann HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + JSON + b"\r\n\r\n"
    assert status(asked(port, head + b"zz\r\nhello\r\n")) == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": ' + b"[" * 30_000,
        b'{"content": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b'{"content": "\\ud800"}',
        b'{"content": "\xff\xfe"}',
        b'{"content": ' + b"9" * 60_000 + b"}",
        b'{"content": "a\\u0000b"}',
        b"\0" * 1_000,
    ],
    ids=["deep lists", "deep objects", "half a character", "not UTF-8", "a long number", "NUL inside", "NUL"],
)
def test_json_that_is_odd_is_refused(port: int, body: bytes) -> None:
    answer = get(port, NOTE, JSON, method="POST", body=body)
    assert (status(answer), kind(answer)) == (400, "bad-body")


@pytest.mark.parametrize("form", ["/view-as", *POSTS])
@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        (b"multipart/form-data; boundary=x", b"--x\r\nnonsense", 415),
        (b"multipart/form-data", b"", 415),
        (b"application/x-www-form-urlencoded; charset=evil", b"as=%ff", 400),
        (b"application/x-www-form-urlencoded", b"\xff\xfe=1", 400),
        (b"application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(10_000)), 400),
    ],
    ids=["multipart", "without a boundary", "half a character", "not UTF-8", "10,000 fields"],
)
def test_forms_that_no_page_of_ours_sends_are_refused(
    port: int, form: str, header: bytes, body: bytes, expected: int
) -> None:
    answer = get(port, form, b"X-Watercooler-As: ann", b"Content-Type: " + header, method="POST", body=body)
    assert status(answer) == expected


def test_floods_of_headers_and_long_addresses_are_refused(port: int) -> None:
    for headers in ([b"X-%d: 1" % n for n in range(2_000)], [b"X: " + b"x" * 9_000], [b"X: " + b"x" * 1_000_000]):
        assert status(get(port, "/v1/activities", *headers)) == 400
    assert status(get(port, "/v1/activities?q=" + "x" * 100_000)) == 400
    many = "&".join(f"p{n}=1" for n in range(1_000))
    assert status(get(port, f"/v1/activities?{many}")) == 400
    assert status(get(port, "/v1/activities?" + "&".join(["tag=a"] * 1_000))) in (200, 400)


def test_other_addresses_than_this_machines_paths_are_not_there(port: int) -> None:
    for target in (
        "/static/../app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/views.py",
        "/static/....//app.py",
        "//static/live.js",
        "/static//etc/passwd",
        "/static/live.js%00.css",
        "/static/..%5c..%5capp.py",
    ):
        answer = get(port, target)
        assert status(answer) == 404, target
        assert b"import" not in answer
    assert status(get(port, "http://elsewhere.example/v1/me?as=ann")) in (200, 400, 403)
    assert status(get(port, "*", method="OPTIONS")) in (400, 404, 405)


def test_a_client_that_asks_first_is_told_to_go_on_and_others_are_told_no(port: int) -> None:
    body = b'{"content": "hello"}'
    answer = get(port, NOTE, JSON, b"Expect: 100-continue", method="POST", body=body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201")
    for other in (b"tea", b"\x80"):
        assert status(get(port, NOTE, JSON, b"Expect: " + other, method="POST", body=body)) == 417


async def test_a_body_that_comes_a_byte_at_a_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_SLOWEST", 0.2)

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    async with world() as w:
        answer = await w.client.post(NOTE, data=dripping(), headers={"Content-Type": "application/json"})
        assert (answer.status, (await answer.json(content_type=None))["type"]) == (408, "/docs#too-slow")


@pytest.fixture
async def served_here(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """An application as services serve theirs, which gives connections up soon; yields the port."""
    monkeypatch.setattr(run, "_IDLE", 0.3)

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    async with run.serving(app, "127.0.0.1", 0) as port:
        yield port


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
async def test_a_head_that_does_not_come_is_given_up(served_here: int, sent: bytes) -> None:
    slow = [await asyncio.open_connection("127.0.0.1", served_here) for _ in range(50)]
    for _, writer in slow:
        writer.write(sent)
    reader, writer = await asyncio.open_connection("127.0.0.1", served_here)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).endswith(b"hello")  # others are served meanwhile
    for one, its in slow:
        assert await asyncio.wait_for(one.read(), 20) == b""
        its.close()
    writer.close()


async def test_what_is_not_http_does_not_fill_the_log(served_here: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for sent in (b"\x16\x03\x01\x00", b"GET /\xff HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", served_here)
        writer.write(sent)
        writer.write_eof()
        assert b" 200 " not in await asyncio.wait_for(reader.read(), 20)
        writer.close()
    assert [one for one in caplog.records if one.name == "aiohttp.server"] == []
