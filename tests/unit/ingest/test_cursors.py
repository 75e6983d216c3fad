"""Cursors are in the log and nowhere else."""

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
