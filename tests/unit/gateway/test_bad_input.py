"""What is sent, and what is answered: docs/bad-input.md, section "gateway". No answer tells of our inside."""

import json
from typing import Any

import pytest

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
    (b" " * 70_000, 413, "too-large"),
]


async def _check(answer: Any, status: int, kind: str) -> None:
    text = await answer.text()
    assert answer.status == status, text
    assert answer.content_type == "application/problem+json"
    problem = json.loads(text)
    assert problem["type"] == f"/docs#{kind}"
    assert problem["status"] == status
    for inside in ("Traceback", "services.", "aiohttp", "pydantic", "Elasticsearch", ".py"):
        assert inside not in text


@pytest.mark.parametrize(("path", "status", "kind"), GET, ids=[p[:60] for p, _, _ in GET])
async def test_addresses(path: str, status: int, kind: str) -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        await _check(await w.client.get(path), status, kind)


@pytest.mark.parametrize(("body", "status", "kind"), BODIES, ids=[str(n) for n in range(len(BODIES))])
async def test_bodies(body: bytes, status: int, kind: str) -> None:
    async with world() as w:
        headers = {"Content-Type": "application/json"}
        await _check(await w.client.post("/v1/feedback?as=ann", data=body, headers=headers), status, kind)


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
