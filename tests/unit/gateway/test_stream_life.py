"""Where a stream begins and how it ends: at a time, at either end; after its life, on draining, on revocation."""

import json
from typing import Any

import pytest

from services.gateway.auth import Asker
from services.gateway.stream.position import Position, start_of, with_shown
from tests.fixtures.stack import eventually
from tests.unit.gateway.test_stream import datas
from tests.unit.gateway.world import HALL, ROOM, ids, said, world


def end_of(stream: Any) -> Any:
    (event,) = stream.of("end")
    return json.loads(event.data)


@pytest.mark.parametrize("way", ["parameter", "header"])
async def test_a_stream_begins_at_either_end(way: str) -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1), said(2))
        await eventually(lambda: w.parts.hub.ring.end == 2, what="both are there", within=5, pause=0.01)
        for place, count in (("earliest", 3), ("latest", 1)):
            given = {"last": place} if way == "header" else {"last_event_id": place}
            async with w.listening(**given) as stream:
                await stream.begun()
                if place == "earliest":
                    await stream.until(2)
                await w.happens(said(3), index=False)
                assert len(await stream.until(count)) == count
            await w.happens(said(3), mark="redelivered", index=False)


async def test_since_gives_what_was_published_since_from_the_log_and_goes_on() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(*(said(n) for n in range(5)))
        async with w.listening(since="2026-03-01T12:03:00Z") as stream:
            assert ids(datas(await stream.until(2))) == ["chat:3#chat.message", "chat:4#chat.message"]
            await w.happens(said(6))
            assert len(await stream.until(3)) == 3


async def test_since_a_time_to_come_waits_for_it() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        async with w.listening(since="2026-03-01T12:02:00Z", last="latest") as stream:
            await stream.begun()
            await w.happens(said(1), said(2))
            assert ids(datas(await stream.until(1))) == ["chat:2#chat.message"]


async def test_a_stream_states_its_life_and_ends_cleanly_after_it() -> None:
    async with world(gateway_stream_seconds=5) as w:
        await w.opened(HALL)
        w.parts.streams._seconds = 0.2
        async with w.listening() as stream:
            assert stream.answer.headers["Watercooler-Stream-Seconds"] == "1"
            await w.happens(said(1))
            (event,) = await stream.until(1)
            await stream.ended()
            assert end_of(stream)["reason"] == "life"
            assert stream.answer.content.exception() is None
        async with w.listening(last=event.id) as again:
            await w.happens(said(2))
            assert ids(datas(await again.until(1))) == ["chat:2#chat.message"]


async def test_draining_ends_all_streams_one_after_the_other_and_takes_no_more() -> None:
    async with world(gateway_streams_per_person=100) as w:
        open_ = [await w.get("/v1/stream") for _ in range(30)]
        await eventually(lambda: len(w.parts.streams) == 30, what="all are open", within=5, pause=0.01)
        await w.parts.streams.drain(0.2)
        texts = [await answer.text() for answer in open_]
        assert all('"reason":"drain"' in text for text in texts)
        retries = {text.rpartition("retry: ")[2].partition("\n")[0] for text in texts}
        assert len(retries) > 10
        assert (await w.get("/v1/stream")).status == 503


async def test_a_reader_who_may_read_no_more_is_ended_and_given_nothing_on_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as ann, w.listening(as_="bob") as bob:
            await ann.begun()
            await bob.begun()
            still = w.parts.auth.again
            monkeypatch.setattr(w.parts.streams, "_again", lambda a: still(a) if a.person == "bob" else None)
            w.parts.streams.look()
            await w.happens(said(1))
            await bob.until(1)
            await ann.ended()
            assert end_of(ann)["reason"] == "revoked"
            assert ann.of() == []


async def test_a_reader_with_other_accounts_goes_on_with_what_those_may_open() -> None:
    async with world() as w:
        await w.opened(ROOM, "chat:account-of-ann")
        async with w.listening() as stream:
            await stream.begun()
            await w.happens(said(1, where=ROOM))
            await eventually(lambda: w.parts.hub.sent == 1, what="it went by", within=5, pause=0.01)
            w.parts.directory.link("chat:account-of-ann", "ann")
            w.parts.streams.look()
            await w.happens(said(2, where=ROOM))
            assert ids(datas(await stream.until(1))) == ["chat:2#chat.message"]
            w.parts.directory.link("chat:account-of-ann", "")
            w.parts.streams.look()
            await w.opened(HALL)
            await w.happens(said(3, where=ROOM), said(4))
            assert ids(datas(await stream.until(2))) == ["chat:2#chat.message", "chat:4#chat.message"]


async def test_nobody_stays_with_auth_none() -> None:
    async with world(auth="none") as w:
        assert w.parts.auth.again(Asker(person="ann", principals=("everyone", "ann"))) is None


async def test_lines_end_cleanly_too() -> None:
    async with world() as w:
        w.parts.streams._seconds = 0.2
        answer = await w.get("/v1/stream", headers={"Accept": "application/x-ndjson"})
        lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert lines[-1]["end"]["reason"] == "life"


async def test_records_known_already_are_passed_over() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = await stream.begun()
            await w.happens(*(said(n) for n in range(6)))
            await stream.until(6)
        known = [
            event
            for event in w.parts.hub.ring.newest()
            if event.record.key in ("chat:1#chat.message", "chat:4#chat.message")
        ]
        place, _ = start_of(start)
        last = with_shown(place, frozenset((event.partition, event.offset) for event in known))
        async with w.listening(last=last) as again:
            seen = sorted(ids(datas(await again.until(4))))
        assert seen == [f"chat:{n}#chat.message" for n in (0, 2, 3, 5)]


def test_records_known_already_are_a_part_of_the_id() -> None:
    place = Position(b"abcd", (5, 700, 0))
    shown = frozenset({(0, 5), (1, 1_000_000)})
    assert start_of(with_shown(place, shown)) == (place, shown)
    assert start_of(place.text()) == (place, frozenset())
