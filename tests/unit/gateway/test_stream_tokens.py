"""Tokens to open a stream with: one stream, one person, one use, one minute; in whatever process."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from services.common.bus.memory import MemoryBus
from services.common.clock import now
from services.gateway.stream import tokens
from tests.unit.gateway.test_api_tokens import OIDC, made
from tests.unit.gateway.test_stream import datas
from tests.unit.gateway.world import HALL, ROOM, World, ids, said, world


async def issued(w: World, query: str = "", as_: str = "bob") -> str:
    answer = await w.client.post("/v1/stream-token", params={"as": as_}, json={"query": query})
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    return str((await answer.json())["stream"])


async def status(w: World, address: str) -> int:
    answer = await w.client.get(address)
    answer.close()
    return answer.status


async def test_a_token_opens_the_stream_as_the_person_it_was_given_to() -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        address = await issued(w)
        async with w.listening(as_="", address=address) as stream:
            await stream.begun()
            await w.happens(said(1, where=ROOM))
            assert ids(datas(await stream.until(1))) == ["chat:1#chat.message"]


async def test_a_token_serves_once() -> None:
    async with world() as w:
        address = await issued(w)
        assert [await status(w, address), await status(w, address)] == [200, 401]


async def test_a_token_serves_once_over_processes_that_take_it_at_the_same_time() -> None:
    bus = MemoryBus("t.")
    async with world(bus) as one, world(bus) as other:
        for _ in range(5):
            address = await issued(one)
            taken = await asyncio.gather(*(status(w, address) for w in (one, other, one, other)))
            assert sorted(taken) == [200, 401, 401, 401]


async def test_a_token_is_for_the_stream_it_was_asked_for() -> None:
    async with world() as w:
        address = await issued(w, f"container={HALL}")
        assert await status(w, address.replace("hall", "room")) == 401
        assert await status(w, address + "&q=more") == 401
        assert await status(w, address + "&last_event_id=latest") == 200


async def test_a_token_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as w:
        address = await issued(w)
        w.parts.stream_tokens._clock = lambda: now() + timedelta(seconds=61)
        assert await status(w, address) == 401


async def test_old_tokens_are_taken_out_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_SWEEP", 0.01)
    async with world() as w:
        await issued(w)
        assert len(w.parts.stream_tokens._known) == 1
        w.parts.stream_tokens._clock = lambda: now() + timedelta(seconds=200)
        w.running.append(asyncio.create_task(w.parts.stream_tokens.sweep()))
        while w.parts.stream_tokens._known:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_token_stands_in_no_log_and_in_no_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with world() as w:
        address = await issued(w)
        token = address.rpartition("access_token=")[2]
        await status(w, address)
        await status(w, address)
        ours = [r for r in caplog.records if r.name != "aiohttp.access"]  # the service has no access log
        assert all(token not in r.getMessage() for r in ours)
        reader = await w.bus.reader()
        await reader.start_at({p: first for p, (first, _) in (await reader.bounds("t.setting.v1")).items()})
        records: Any = await reader.poll(limit=100, wait=1)
        assert len(records) >= 2
        assert all(token.encode() not in (r.value or b"") + r.key.encode() for r in records)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"query": 7}', b'{"more": ""}', b'{"query": "' + b"x" * 5000 + b'"}'])
async def test_a_wrong_body_is_a_problem(body: bytes) -> None:
    async with world() as w:
        answer = await w.client.post("/v1/stream-token", data=body, headers={"Content-Type": "application/json"})
        assert (answer.status, (await answer.json(content_type=None))["type"]) == (400, "/docs#bad-body")


async def test_strangers_are_refused_with_a_token_too() -> None:
    async with world() as w:
        address = await issued(w)
        assert (await w.client.get(address, headers={"X-Forwarded-For": "10.0.0.1"})).status == 403


async def _asked_by(w: World, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await w.client.post("/v1/stream-token", json={}, headers=headers)
    assert answer.status == 201
    return str((await answer.json())["stream"])


async def _taken_back(w: World, token: str) -> None:
    known = w.parts.auth.tokens.presented(token)
    assert known is not None
    await w.parts.auth.tokens.revoke(known)
    await w.parts.remembered.caught_up()


async def test_a_stream_ends_when_the_api_token_that_asked_for_it_is_taken_back() -> None:
    async with world(**OIDC) as w:
        token, other = await made(w), await made(w)
        address, kept = await _asked_by(w, token), await _asked_by(w, other)
        async with w.listening(as_="", address=address) as stream, w.listening(as_="", address=kept) as beside:
            await stream.begun()
            await beside.begun()
            await _taken_back(w, token)
            w.parts.streams.look()
            (said_last,) = await stream.until(1, "end")
            assert json.loads(said_last.data)["reason"] == "revoked"
            await stream.ended()
            assert beside.of("end") == []


async def test_a_stream_ends_with_the_time_of_what_asked_for_it() -> None:
    async with world(**OIDC) as w, w.listening(as_="", address=await _asked_by(w, await made(w))) as stream:
        await stream.begun()
        w.parts.auth._clock = lambda: (now() + timedelta(days=2)).timestamp()
        w.parts.streams.look()
        await stream.ended()


async def test_a_stream_token_serves_nobody_whose_api_token_was_taken_back_meanwhile() -> None:
    async with world(**OIDC) as w:
        token = await made(w)
        address = await _asked_by(w, token)
        await _taken_back(w, token)
        assert await status(w, address) == 401
