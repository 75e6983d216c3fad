"""Readers who are brought from an old place to the head by way of Kafka, several at once."""

import asyncio
from typing import cast

import pytest

from services.common.access import EVERYONE
from services.gateway.auth import Asker
from services.gateway.filters import Filters
from services.gateway.stream import replay
from services.gateway.stream.connection import Connection, Transport
from services.gateway.stream.position import Position
from services.gateway.stream.replay import Replay
from services.gateway.stream.ring import Ring
from services.gateway.stream.selection import Selection
from services.gateway.stream.wire import Form
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, World, said, world


class _Open:
    """A transport that takes all."""

    def is_closing(self) -> bool:
        return False


def brought(w: World, start: Position, turns: asyncio.Semaphore) -> Replay:
    """Return a reader's way from a place to the head."""

    async def take(_: bytes) -> None:
        await asyncio.sleep(0)

    asker = Asker(person="", principals=(EVERYONE,))
    connection = Connection(cast(Transport, _Open()), asker, Selection.one(Filters()), Form.SSE, chunked=True)
    return Replay(w.parts.hub, connection, start, take, turns)


async def test_who_has_far_to_go_lets_those_with_a_short_way_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_TURN", 0.0)
    monkeypatch.setattr(replay, "_STEP", 2)
    ended: list[str] = []
    async with world() as w:
        await w.opened(HALL)
        hub, far = w.parts.hub, w.parts.hub.position()
        hub.ring = Ring(hub.ring.position, events=1)
        await w.happens(*(said(n) for n in range(60)), index=False)
        await eventually(lambda: sum(hub.position().offsets) == 60, what="all are sent", pause=0.005)
        near = Position(hub.mark, tuple(max(0, offset - 1) for offset in hub.position().offsets))
        turns = asyncio.Semaphore(1)

        async def run(name: str, start: Position) -> None:
            assert await brought(w, start, turns).run()
            ended.append(name)

        await asyncio.gather(run("far", far), run("near", near))
    assert ended == ["near", "far"]
