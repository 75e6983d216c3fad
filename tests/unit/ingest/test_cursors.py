"""Cursors are in the log and nowhere else."""

import pytest

from services.common.bus import Outgoing
from services.common.bus.memory_reading import MemoryReader
from services.common.errors import Retry
from services.common.topics import CURSOR
from services.ingest.cursors import Cursor
from tests.unit.ingest.fakes import ground


async def test_a_cursor_is_there_after_a_restart_and_apart_by_source_and_way() -> None:
    base = await ground()
    await base.cursors.put("wiki", "live", Cursor(position='{"second":1}'))
    await base.cursors.put("wiki", "live", Cursor(position='{"second":2}'))
    await base.cursors.put("chat", "live", Cursor(position="x", complete=True))
    again = await ground(base.bus)
    assert again.cursors.get("wiki", "live") == Cursor(position='{"second":2}')
    assert again.cursors.get("chat", "live") == Cursor(position="x", complete=True)
    assert again.cursors.get("wiki", "other") == Cursor()


async def test_a_forgotten_cursor_is_at_the_beginning() -> None:
    base = await ground()
    await base.cursors.put("wiki", "live", Cursor(position="7"))
    await base.cursors.forget("wiki", "live")
    assert base.cursors.get("wiki", "live") == (await ground(base.bus)).cursors.get("wiki", "live") == Cursor()


async def test_a_note_is_there_after_a_restart_and_is_no_cursor() -> None:
    base = await ground()
    await base.cursors.note("chat", {"$edit": "$message"})
    again = await ground(base.bus)
    assert (again.cursors.noted("chat", "$edit"), again.cursors.noted("wiki", "$edit")) == ("$message", "")
    assert again.cursors.get("chat", "$edit") == Cursor()


async def test_a_note_that_is_known_is_not_stored_again() -> None:
    base = await ground()
    for notes in ({"a": "1"}, {"a": "1"}, {"a": "1", "b": "2"}, {}):
        await base.cursors.note("chat", notes)
    assert len(await base.log.records(CURSOR)) == 2


async def test_a_start_that_is_broken_off_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    base, stopped = await ground(), list[str]()

    async def away(*_: object) -> None:
        raise Retry("Kafka does not answer")

    async def stop(*_: object) -> None:
        stopped.append("stopped")

    monkeypatch.setattr(MemoryReader, "bounds", away)
    monkeypatch.setattr(MemoryReader, "stop", stop)
    with pytest.raises(Retry):
        await base.cursors.load()
    assert stopped == ["stopped"]


async def test_a_cursor_that_cannot_be_read_is_at_the_beginning_and_stops_no_other() -> None:
    base = await ground()
    await base.cursors.put("wiki", "live", Cursor(position="7"))
    await base.cursors.put("chat", "live", Cursor(position="8"))
    publisher = await base.bus.publisher()
    await publisher.publish([Outgoing(topic=CURSOR.name(base.bus.prefix), key="wiki live", value=b"no record")])
    again = await ground(base.bus)
    assert (again.cursors.get("wiki", "live"), again.cursors.get("chat", "live").position) == (Cursor(), "8")
