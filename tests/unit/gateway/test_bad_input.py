"""What is sent, and what is answered: docs/bad-input.md, section "gateway". No answer tells of our inside."""

import asyncio
import json
from typing import Any

from tests.unit.gateway.world import HALL, said, world

GET = [
    ("/v1/activities?cursor=nonsense", 400, "bad-cursor"),
    ("/v1/activities?cursor=eJwDAAAAAAE", 400, "bad-cursor"),
    ("/v1/activities?limit=0", 400, "bad-parameter"),
    ("/v1/activities?limit=101", 400, "bad-parameter"),
    ("/v1/activities?limit=%C2%B2", 400, "bad-parameter"),
    ("/v1/activities?limit=ten", 400, "bad-parameter"),
    ("/v1/activities?since=yesterday", 400, "bad-parameter"),
    ("/v1/activities?since=0001-01-01T00:00:00%2B23:59", 400, "bad-parameter"),
    ("/v1/activities?colour=red", 400, "bad-parameter"),
    ("/v1/activities?q=a&q=b", 400, "bad-parameter"),
    ("/v1/activities?q=" + "x" * 501, 400, "bad-parameter"),
    ("/v1/activities?tag=", 400, "bad-parameter"),
    ("/v1/activities?tag=" + "x" * 1025, 400, "bad-parameter"),
    ("/v1/activities?" + "&".join(f"tag={n}" for n in range(21)), 400, "bad-parameter"),
    ("/v1/activities?as=a%00b", 400, "bad-parameter"),
    ("/v1/activities/absent", 404, "not-found"),
    ("/v1/objects/absent", 404, "not-found"),
    ("/v1/people/absent", 404, "not-found"),
    ("/v1/people", 400, "bad-parameter"),
    ("/v1/search", 400, "bad-parameter"),
    ("/v1/search?q=x&mode=magic", 400, "bad-parameter"),
    ("/v1/search?q=x&actor=ann", 400, "bad-parameter"),
    ("/v1/me/for-you?surprise=2&as=ann", 400, "bad-parameter"),
    ("/v1/me/for-you?surprise=nan&as=ann", 400, "bad-parameter"),
    ("/v1/me/for-you", 401, "who-asks"),
    ("/v1/stream?feed=for-you", 401, "who-asks"),
    ("/v1/stream?feed=mine", 400, "bad-parameter"),
    ("/v1/stream?last_event_id=nonsense", 400, "bad-cursor"),
    ("/v1/nothing", 404, "not-found"),
    ("/v1/../etc/passwd", 404, "not-found"),
    ("/static/..%2f..%2fapp.py", 404, "not-found"),
    ("/registry/subjects/no-such/versions", 404, "not-found"),
    ("/registry/subjects/t.activity.v1-value/versions/99", 404, "not-found"),
    ("/registry/subjects/t.activity.v1-value/versions/one", 422, "bad-parameter"),
    (f"/registry/subjects/t.activity.v1-value/versions/{1:012}{0:05000}", 422, "bad-parameter"),
    ("/registry/schemas/ids/0000010000001", 404, "not-found"),
    ("/registry/schemas/ids/7", 404, "not-found"),
    ("/registry/schemas/ids/99999999999999999999", 404, "not-found"),
]

BODIES: list[tuple[Any, int, str]] = [
    (b"", 400, "bad-body"),
    (b"{", 400, "bad-body"),
    (b"[]", 400, "bad-body"),
    (b"null", 400, "bad-body"),
    (b"{}", 400, "bad-body"),
    (b'{"subject": 7, "kind": "useful"}', 400, "bad-body"),
    (b'{"subject": "", "kind": "useful"}', 400, "bad-body"),
    (b'{"subject": "x", "kind": "superb"}', 400, "bad-body"),
    (b'{"subject": "x", "kind": "useful", "person": "bob"}', 400, "bad-body"),
    (b'{"subject": "x", "kind": "useful", "value": 1e99}', 400, "bad-body"),
    (json.dumps([{"subject": "x", "kind": "seen"}] * 101).encode(), 400, "bad-body"),
    (b"[" * 10_000, 400, "bad-body"),
    (b"\xff\xfe", 400, "bad-body"),
    (b" " * 300_000, 413, "too-large"),
]


async def _check(answer: Any, status: int, kind: str, sent: str = "") -> None:
    text = await answer.text()
    assert answer.status == status, (sent, text)
    assert answer.content_type == "application/problem+json"
    problem = json.loads(text)
    assert problem["type"] == f"/docs#{kind}", sent
    assert problem["status"] == status
    for inside in ("Traceback", "services.", "aiohttp", "pydantic", "Elasticsearch", ".py"):
        assert inside not in text


async def test_addresses() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        for path, status, kind in GET:
            await _check(await w.client.get(path), status, kind, path)


async def test_bodies() -> None:
    headers = {"Content-Type": "application/json"}
    async with world() as w:
        for body, status, kind in BODIES:
            answer = await w.client.post("/v1/feedback?as=ann", data=body, headers=headers)
            await _check(answer, status, kind, str(body[:60]))


async def test_blanks_that_are_no_json_are_not_taken_for_nothing() -> None:
    async with world() as w:
        for method, path in (("PUT", "/v1/me/settings"), ("POST", "/v1/stream-token")):
            for body, status in ((b"\x0b", 400), (b" \x0c", 400), (b" \r\n\t", 200)):
                json = {"Content-Type": "application/json"}
                answer = await w.client.request(method, f"{path}?as=ann", data=body, headers=json)
                assert answer.status // 100 * 100 == status, (path, body)


async def test_what_is_not_http_is_answered_without_our_inside() -> None:
    async with world() as w:
        assert w.client.port is not None
        for sent in (
            b"nonsense\r\n\r\n",
            b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\x16\x03\x01",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", w.client.port)
            writer.write(sent)
            writer.write_eof()
            text = (await asyncio.wait_for(reader.read(), 5)).decode()
            assert text == "" or text.startswith(("HTTP/1.0 400", "HTTP/1.1 400"))
            assert "Traceback" not in text
            assert "/aiohttp/" not in text
            writer.close()
        assert (await w.client.get("/healthz")).status == 200


async def test_methods_and_types() -> None:
    async with world() as w:
        answer = await w.client.delete("/v1/activities")
        assert answer.headers["Allow"] == "GET,HEAD"
        await _check(answer, 405, "method")
        assert (await w.client.head("/v1/stream")).status == 405
        await _check(await w.client.post("/v1/feedback?as=ann", data="a=b"), 415, "bad-body")
        await _check(await w.client.post("/v1/feedback", json={"subject": "x", "kind": "seen"}), 401, "who-asks")


async def test_text_from_sources_never_becomes_markup() -> None:
    evil = "<script>alert(1)</script>"
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, text=f"{evil} words", who="ann"))
        for path in ("/", "/search?q=words", "/objects/chat:1", "/people?q=words", f"/search?q={evil}", "/people/ann"):
            text = await (await w.get(path)).text()
            assert "<script>alert" not in text, path
            assert evil.replace("<", "&lt;").replace(">", "&gt;") in text or path == "/people/ann", path
