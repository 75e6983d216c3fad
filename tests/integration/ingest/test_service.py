"""The ingest service on real Kafka: sources beside each other, one of which is away, one wrong, one that is well."""

import hashlib
import hmac
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientSession

from services.common.topics import ACCESS, ACTIVITY, DEADLETTER
from tests.fixtures.gitrepo import GitRepo
from tests.fixtures.stack import Stack, eventually, free_port
from tests.integration.ingest.conftest import Log

pytestmark = pytest.mark.integration

SECRET = "a secret of the tests, long enough"
HOOKS = {"name": "deploys", "kind": "webhook", "signature": "github", "secret": SECRET}
LARGEST = 8 * 1024 * 1024


def begin(stack: Stack, *sources: dict[str, Any]) -> None:
    stack.environ["WATERCOOLER_SOURCES"] = json.dumps(sources)
    stack.start("ingest")


def signed(body: bytes) -> dict[str, str]:
    mark = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={mark}", "Content-Type": "application/json"}


def said(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"deploy/{number}",
        "type": "Create",
        "verb": "deploy.done",
        "published": "2026-03-01T10:00:00Z",
        "actor": {"id": "ci", "type": "service", "name": "CI"},
        "object": {"id": f"deploy/{number}", "type": "Note", "title": f"Release {number} is live"},
        **more,
    }


async def states(stack: Stack, session: ClientSession) -> dict[str, Any]:
    async with session.get(f"{stack.url('ingest')}/sources") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_sources_that_are_away_or_wrong_leave_the_others_alone(
    stack: Stack, log: Log, gitrepo: Callable[..., GitRepo]
) -> None:
    repo = gitrepo()
    first = repo.commit("Say hello", {"a.txt": "hello"})
    away = {"name": "wiki", "kind": "mediawiki", "url": f"http://127.0.0.1:{free_port()}/api.php"}
    unknown = {"name": "chat", "kind": "telegraph"}
    wrong = {"name": "gone", "kind": "git", "url": str(stack.folder / "nothing-here")}
    well = {"name": "tool", "kind": "git", "url": repo.url, "poll_seconds": 0.2}
    begin(stack, away, unknown, wrong, well, HOOKS)
    await stack.ready()
    await eventually(lambda: holds(log, f"tool:commit/{first}#git.commit"), what="the repository is read", stack=stack)
    async with ClientSession() as session:
        found = await states(stack, session)
        body = json.dumps(said()).encode()
        async with session.post(f"{stack.url('ingest')}/hooks/deploys", data=body, headers=signed(body)) as answer:
            assert answer.status in (200, 202)
    assert found["tool"] == {"reading": True, "stopped": False, "problem": ""}
    assert found["deploys"]["reading"]
    assert not found["wiki"]["reading"]
    assert not found["wiki"]["stopped"]
    assert found["chat"]["stopped"]
    assert "telegraph" in found["chat"]["problem"]
    assert "nothing-here" in found["gone"]["problem"]


async def holds(log: Log, id_: str) -> bool:
    return id_ in await log.ids()


async def test_a_delivery_is_stored_once_it_is_answered_and_not_before_it_is_verified(stack: Stack, log: Log) -> None:
    begin(stack, HOOKS)
    await stack.ready()
    url = f"{stack.url('ingest')}/hooks/deploys"
    async with ClientSession() as session:
        await eventually(lambda: reading(stack, session), what="the door is open", stack=stack)
        for number, twice in ((1, False), (2, False), (2, True)):
            body = json.dumps(said(number)).encode()
            async with session.post(url, data=body, headers=signed(body)) as answer:
                assert answer.status in (200, 202), await answer.text()
            key = f"deploys:deploy/{number}"
            assert (await log.ids()).count(key) == 1 + twice, "2xx means that Kafka has it"
        async with session.post(url, data=body, headers=signed(b"something else")) as answer:
            assert answer.status == 401
    assert {one["object"]["title"] for one in await log.values(ACTIVITY)} == {"Release 1 is live", "Release 2 is live"}
    assert await log.values(DEADLETTER) == []
    opened = {one["id"]: one["visibility"] for one in await log.values(ACCESS)}
    assert opened == {"deploys:inbox": "PUBLIC"}


async def reading(stack: Stack, session: ClientSession) -> bool:
    return all(one["reading"] for one in (await states(stack, session)).values())


BAD = {
    "no name": ("GET", "/hooks/", b"", 404, "nothing here"),
    "unknown source": ("POST", "/hooks/nobody", b"{}", 404, "No source of this name"),
    "not signed": ("POST", "/hooks/deploys", None, 401, "not signed"),
    "not JSON": ("POST", "/hooks/deploys", b"{", 422, "not JSON"),
    "a number": ("POST", "/hooks/deploys", b"7", 422, "JSON object, not a number"),
    "no object": ("POST", "/hooks/deploys", json.dumps(said(object=None)).encode(), 422, "object is missing"),
    "no object id": ("POST", "/hooks/deploys", json.dumps(said(object={"type": "Note"})).encode(), 422, "object.id"),
    "a bad time": ("POST", "/hooks/deploys", json.dumps(said(published="2026-13-01")).encode(), 422, "2026-13-01"),
    "too large": ("POST", "/hooks/deploys", b"[" + b" " * LARGEST + b"]", 413, "8388608 bytes"),
    "another method": ("DELETE", "/hooks/deploys", b"", 422, "POST"),
    "a strange path": ("POST", "/hooks/../etc/passwd", b"", 404, "nothing here"),
}


async def test_bad_deliveries_are_answered_with_what_is_wrong_and_nothing_of_the_inside(stack: Stack, log: Log) -> None:
    begin(stack, HOOKS)
    await stack.ready()
    async with ClientSession() as session:
        await eventually(lambda: reading(stack, session), what="the door is open", stack=stack)
        for what, (method, path, body, status, words) in BAD.items():
            headers = signed(body) if body is not None else {}
            url = stack.url("ingest") + path
            async with session.request(method, url, data=BytesIO(body or b""), headers=headers) as answer:
                text = await answer.text()
                assert (answer.status, answer.content_type) == (status, "application/problem+json"), f"{what}: {text}"
                assert words in text, f"{what}: {text}"
                assert "Traceback" not in text
                assert "services" not in text
    letters = await log.values(DEADLETTER)
    rejected = [what for what, (_, _, _, status, _) in BAD.items() if status == 422]
    assert len(letters) == len(rejected), "what was verified and not understood is kept"
    assert await log.ids() == []
