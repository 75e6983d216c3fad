"""The live stream over twins: what is sent, resumed, reset, filtered, withheld and withdrawn."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from services.common.bus import Partition
from services.common.bus.memory import MemoryBus
from services.common.model import Access, AccessKind, Object, Visibility
from services.gateway.stream.position import Position, unpacked
from services.gateway.stream.ring import Ring
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, ROOM, ids, said, world


def datas(events: list[Any]) -> list[Any]:
    return [json.loads(event.data) for event in events]


async def test_an_activity_arrives() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            first = await stream.begun()
            await w.happens(said(1, text="hello there"))
            (event,) = await stream.until(1)
            assert json.loads(event.data)["object"]["content"] == "hello there"
            assert event.id not in ("", first)


async def test_the_answer_is_fit_for_proxies_and_browsers() -> None:
    async with world() as w, w.listening() as stream:
        assert stream.answer.headers["X-Accel-Buffering"] == "no"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        assert stream.answer.content_type == "text/event-stream"


async def test_nothing_is_lost_or_doubled_over_reconnects_at_every_place() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = await stream.begun()
            await w.happens(*(said(n) for n in range(20)))
            events = await stream.until(20)
        whole = ids(datas(events))
        assert len(set(whole)) == 20
        for cut in (start, *(event.id for event in events)):
            async with w.listening(last=cut) as again:
                behind = 20 if cut == start else 19 - [e.id for e in events].index(cut)
                rest = await again.until(behind)
                await w.parts.hub.know_access()
                assert ids(datas(rest)) == whole[20 - behind :]


async def test_a_reader_resumes_from_the_log_where_memory_does_not_reach_back() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = await stream.begun()
        hub = w.parts.hub
        hub.ring = Ring(hub.ring.position, events=5)
        await w.happens(*(said(n) for n in range(60)))
        async with w.listening(last=start) as again:
            seen = ids(datas(await again.until(60)))
            await w.happens(said(60))
            seen = ids(datas(await again.until(61)))
        assert Counter(seen) == Counter(f"chat:{n}#chat.message" for n in range(61))


async def test_a_burst_larger_than_memory_reaches_a_live_reader_whole() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            await stream.begun()
            await asyncio.sleep(0.05)
            w.parts.hub.ring._most = 10
            await w.happens(*(said(n) for n in range(300)), index=False)
            await stream.until(300)
            assert Counter(ids(datas(stream.of()))) == Counter(f"chat:{n}#chat.message" for n in range(300))


@pytest.mark.parametrize("memory", [5, 20_000])
async def test_who_catches_up_while_events_wait_to_be_sent_is_not_given_them_twice(memory: int) -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = await stream.begun()
        hub = w.parts.hub
        hub.ring._most = memory
        for first in range(0, 200, 40):
            hub._pause, hub._sent_at = 0.3, monotonic()  # as with very many readers
            await w.happens(*(said(n) for n in range(first, first + 40)), index=False)
            await asyncio.sleep(0.05)
            async with w.listening(last=start) as again:
                await again.until(first + 40)
                await asyncio.sleep(0.4)
                assert Counter(ids(datas(again.of()))) == Counter(f"chat:{n}#chat.message" for n in range(first + 40))


async def test_a_second_gateway_resumes_what_the_first_one_gave() -> None:
    bus = MemoryBus("t.")
    async with world(bus) as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            await stream.begun()
            await w.happens(*(said(n) for n in range(10)))
            first = await stream.until(10)
    async with world(bus) as w:
        await w.happens(*(said(n) for n in range(10, 20)))
        async with w.listening(last=first[4].id) as stream:
            rest = ids(datas(await stream.until(15)))
    seen = [*ids(datas(first[:5])), *rest]
    assert Counter(seen) == Counter(f"chat:{n}#chat.message" for n in range(20))


async def test_a_process_that_is_behind_opens_the_stream_and_goes_on_when_it_is_there() -> None:
    async with world() as w:
        await w.opened(HALL)
        hub = w.parts.hub
        async with w.listening() as stream:
            await stream.begun()
            flush, held = hub._flush, asyncio.Event()
            hub._flush = held.set  # type: ignore[method-assign]  # as one that does not get to it
            await w.happens(said(1), index=False)
            await asyncio.wait_for(held.wait(), 5)
            ahead = Position(hub.mark, hub.ring.position)  # another process has given it already
            async with w.listening(last=ahead.text()) as early:
                assert await early.begun() == ahead.text()
                hub._flush = flush  # type: ignore[method-assign]
                hub._flush()
                await w.happens(said(2), index=False)
                assert ids(datas(await early.until(1))) == ["chat:2#chat.message"]
                assert sorted(ids(datas(await stream.until(2)))) == ["chat:1#chat.message", "chat:2#chat.message"]


async def test_order_holds_per_object() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            await stream.begun()
            note = Object(id="chat:1", type="Note")
            edits = [said(n, object=replace(note, content=f"state {n}"), id=f"chat:1@{n}#edit") for n in range(30)]
            await w.happens(*edits, index=False)
            got = [a["object"]["content"] for a in datas(await stream.until(30))]
            assert got == [f"state {n}" for n in range(30)]


@pytest.mark.parametrize("reason", ["incarnation", "past-the-end", "expired", "too-far"])
async def test_a_reset_is_told_with_where_to_refill(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus("t.")
    async with world(bus) as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = unpacked(await stream.begun())
        hub = w.parts.hub
        if reason == "incarnation":
            start = Position(b"abcd", start.offsets)
        elif reason == "past-the-end":
            start = Position(start.mark, tuple(o + 7 for o in start.offsets))
        else:
            hub.ring = Ring(hub.ring.position, events=2)
            await w.happens(*(said(n) for n in range(20)))
            await asyncio.sleep(0.1)
            if reason == "expired":
                for number in range(4):
                    bus.expire(Partition("t.enriched.v1", number), 2)
            else:
                monkeypatch.setattr("services.gateway.stream.replay.FARTHEST", 10)
        async with w.listening(last=start.text(), container=HALL) as stream:
            (event,) = await stream.until(1, "reset")
            page = "/v1/activities?container=chat%3Ahall"
            assert json.loads(event.data) == {"reason": reason, "feed": "all", "refill": page}
            assert stream.answer.headers["Watercooler-Reset"] == reason
            await w.happens(said(99))
            assert ids(datas(await stream.until(1))) == ["chat:99#chat.message"]


async def test_filters_mean_what_they_mean_in_rest() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        async with w.listening(container=ROOM, q="RELEASE notes") as stream:
            await stream.begun()
            await w.happens(said(1, text="release notes"), said(2, text="release notes", where=ROOM))
            await w.happens(said(3, text="notes", where=ROOM), said(4, text="the notes of the release", where=ROOM))
            got = sorted(ids(datas(await stream.until(2))))
        assert got == ["chat:2#chat.message", "chat:4#chat.message"]
        page = await w.json("/v1/activities", params={"container": ROOM, "q": "release notes"})
        assert sorted(ids(page["orderedItems"])) == got


async def test_nobody_is_given_what_they_may_not_open() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        async with w.listening(as_="ann") as ann, w.listening(as_="bob") as bob:
            await ann.begun()
            await bob.begun()
            await w.happens(said(1, where=ROOM), said(2, where="chat:unheard-of"), said(3))
            assert sorted(ids(datas(await bob.until(2)))) == ["chat:1#chat.message", "chat:3#chat.message"]
            assert ids(datas(await ann.until(1))) == ["chat:3#chat.message"]


async def test_a_revocation_holds_for_the_next_event_and_for_old_ones() -> None:
    async with world() as w:
        await w.opened(ROOM, "bob")
        async with w.listening(as_="bob") as bob:
            start = await bob.begun()
            await w.happens(said(1, where=ROOM))
            await bob.until(1)
            await w.opened(ROOM, "carl")
            await w.opened(HALL)
            await w.happens(said(2, where=ROOM), said(3))
            assert sorted(ids(datas(await bob.until(2)))) == ["chat:1#chat.message", "chat:3#chat.message"]
        async with w.listening(as_="bob", last=start) as again:
            assert ids(datas(await again.until(1))) == ["chat:3#chat.message"]


async def test_withdrawn_text_is_gone_from_a_stream_resumed_from_before() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            start = await stream.begun()
            e = said(1, text="quokkasecret")
            await w.happens(e)
            await stream.until(1)
        withdrawal = Access(id="chat:1", kind=AccessKind.OBJECT, withdrawn=("*",), order=e.activity.order)
        await w.allow(withdrawal)
        async with w.listening(last=start) as again:
            (event,) = await again.until(1)
            assert "quokkasecret" not in event.data
            assert json.loads(event.data)["id"] == "chat:1#chat.message"


async def test_repetitions_are_skipped_and_redactions_have_a_type_of_their_own() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            await stream.begun()
            await w.happens(said(1))
            await w.happens(said(1), mark="redelivered", index=False)
            await w.happens(said(1), mark="redacted", index=False)
            await w.happens(said(2))
            assert sorted(ids(datas(await stream.until(2)))) == ["chat:1#chat.message", "chat:2#chat.message"]
            assert ids(datas(stream.of("redacted"))) == ["chat:1#chat.message"]


async def test_lines_by_accept() -> None:
    async with world() as w:
        await w.opened(HALL)
        answer = await w.get("/v1/stream", headers={"Accept": "application/x-ndjson"})
        opening = json.loads(await answer.content.readline())
        await w.happens(said(1))
        line = json.loads(await answer.content.readline())
        assert line["activity"]["id"] == "chat:1#chat.message"
        assert unpacked(line["cursor"]) != unpacked(opening["cursor"])
        answer.close()


async def test_a_record_that_cannot_be_read_stops_nothing() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening() as stream:
            await stream.begun()
            await w.publish_bytes("poison", b"\x00not avro at all")
            await w.happens(said(1))
            assert ids(datas(await stream.until(1))) == ["chat:1#chat.message"]


async def test_streams_are_bounded_per_person_and_nobody_is_put_out() -> None:
    async with world(gateway_streams_per_person=1) as w, w.listening(as_="ann") as first:
        await first.begun()
        answer = await w.get("/v1/stream", as_="ann")
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        async with w.listening(as_="bob") as other:
            await other.begun()


async def test_a_stream_that_was_closed_makes_room_at_once() -> None:
    async with world(gateway_streams_per_person=1) as w:
        for _ in range(5):
            async with w.listening() as stream:
                await stream.begun()
                connection = next(iter(w.parts.hub.readers))
            await eventually(connection.transport.is_closing, what="the end is noticed", within=5, pause=0.001)


async def test_a_stopping_gateway_says_when_to_come_back() -> None:
    async with world() as w, w.listening() as stream:
        await stream.begun()
        w.parts.hub.close("drain")
        await eventually(stream.answer.content.at_eof, what="the stream has ended", within=5, pause=0.01)
        assert (await w.get("/v1/stream")).status == 503


async def test_a_reader_that_takes_nothing_is_cut_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.stream.connection.UNSENT", 1 << 16)
    async with world() as w:
        await w.opened(HALL)
        slow = await w.get("/v1/stream")
        async with w.listening(as_="bob") as stream:
            await stream.begun()
            sent = 0
            while len(w.parts.hub.readers) > 1 and sent < 400:
                await w.happens(*(said(n, text="x" * 50_000) for n in range(sent, sent + 20)), index=False)
                sent += 20
                await stream.until(sent, within=30)  # so that only the other one does not keep up
            assert len(w.parts.hub.readers) == 1
        slow.close()


async def test_a_heartbeat_moves_a_filtered_readers_position() -> None:
    async with world() as w:
        await w.opened(HALL)
        async with w.listening(q="nothing like this") as stream:
            first = await stream.begun()
            await w.happens(said(1))
            await asyncio.sleep(0.1)
            for tick in range(15):
                w.parts.hub._beat(tick)
            await eventually(lambda: stream.last != first, what="the position has moved", within=5, pause=0.01)
            assert unpacked(stream.last) == w.parts.hub.position()


@pytest.mark.parametrize("given", ["x", "AAAA", "0", "a b", "é", "A" * 30_000])
async def test_an_id_that_is_not_ours_is_a_problem_before_the_stream_begins(given: str) -> None:
    async with world() as w:
        answer = await w.get("/v1/stream", params={"last_event_id": given[:7000]})
        assert answer.status == 400
        assert answer.content_type == "application/problem+json"
        assert (await answer.json(content_type=None))["type"] == "/docs#bad-cursor"


async def test_visibility_of_an_activity_grants_nothing() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, visibility=Visibility.UNKNOWN)
        async with w.listening() as stream:
            await stream.begun()
            await w.happens(said(1, where=ROOM), said(2))
            assert ids(datas(await stream.until(1))) == ["chat:2#chat.message"]
