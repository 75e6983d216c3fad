"""Who asks the index when: a few at once, others in turn, and beyond that nobody for long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.common import metrics
from services.common.search import Page, Query
from services.common.search.memory import MemorySearch
from services.gateway import turns as module
from services.gateway.turns import Busy, Turns
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, World, said, world


def waiting(turns: Turns) -> int:
    return turns._waiting


async def taken(turns: Turns, who: str, order: list[str]) -> None:
    await turns.take(who, lambda: False)
    order.append(who)


async def queued(turns: Turns, people: Sequence[str], order: list[str]) -> list[asyncio.Task[None]]:
    """Let people wait, in this order."""
    tasks = []
    for number, who in enumerate(people, start=1):
        tasks.append(asyncio.create_task(taken(turns, who, order)))
        await eventually(lambda n=number: waiting(turns) == n, what=f"{number} wait", pause=0.001)  # type: ignore[misc]
    return tasks


async def test_turns_go_round_among_people_and_each_ones_in_order() -> None:
    turns, order = Turns(1), list[str]()
    await turns.take("", lambda: False)
    tasks = await queued(turns, ["ann", "ann", "ann", "bob", "carl"], order)
    for task in range(len(tasks)):
        turns.give_back()
        await eventually(lambda n=task + 1: len(order) == n, what="the next one's turn", pause=0.001)  # type: ignore[misc]
    assert order == ["ann", "bob", "carl", "ann", "ann"]


async def test_who_waits_too_long_is_refused_and_takes_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    turns = Turns(1)
    await turns.take("ann", lambda: False)
    with pytest.raises(Busy, match="more is asked"):
        await turns.take("bob", lambda: False)
    turns.give_back()
    await turns.take("carl", lambda: False)  # at once: bob's place in the queue is passed over


async def test_patience_is_short_where_somebody_has_waited_all_the_time() -> None:
    now = 100.0
    turns = Turns(1, clock=lambda: now)
    await turns.take("ann", lambda: False)
    (first,) = await queued(turns, ["bob"], [])
    assert turns._patience() == module.PATIENCE
    now += module.PATIENCE + 1
    assert turns._patience() == module.SHORT
    turns.give_back()
    await first
    turns.give_back()  # nobody waits
    await turns.take("ann", lambda: False)
    await queued(turns, ["bob"], [])
    assert turns._patience() == module.PATIENCE


async def test_who_has_gone_is_passed_over() -> None:
    turns, order = Turns(1), list[str]()
    await turns.take("ann", lambda: False)
    gone = asyncio.create_task(turns.take("bob", lambda: True))
    await eventually(lambda: waiting(turns) == 1, what="bob waits", pause=0.001)
    carl = asyncio.create_task(taken(turns, "carl", order))
    await eventually(lambda: waiting(turns) == 2, what="carl waits", pause=0.001)
    turns.give_back()
    with pytest.raises(Busy):
        await gone
    await carl
    assert order == ["carl"]


async def test_a_turn_is_not_lost_with_who_is_cancelled_as_it_comes() -> None:
    turns = Turns(1)
    await turns.take("ann", lambda: False)
    bob = asyncio.create_task(turns.take("bob", lambda: False))
    await eventually(lambda: waiting(turns) == 1, what="bob waits", pause=0.001)
    turns.give_back()
    bob.cancel()
    await asyncio.gather(bob, return_exceptions=True)
    await asyncio.wait_for(turns.take("carl", lambda: False), 1.0)


async def test_the_questions_of_a_request_have_one_turn_and_after_it_none() -> None:
    turns = Turns(1)

    async def ask() -> None:
        async with turns.question("ann"):
            await asyncio.sleep(0)

    with turns.visit(lambda: False):
        await asyncio.gather(*(ask() for _ in range(5)))
        late = asyncio.create_task(ask())  # begins when the visit is over
    with pytest.raises(Busy):
        await late
    await asyncio.wait_for(ask(), 1.0)  # the turn was given back


async def test_a_request_whose_client_has_gone_asks_no_further() -> None:
    turns, gone = Turns(1), False
    with turns.visit(lambda: gone):
        async with turns.question("ann"):
            gone = True
        with pytest.raises(Busy):
            async with turns.question("ann"):
                raise AssertionError("it asked")


class Slow(MemorySearch):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def find(self, query: Query) -> Page:
        self.asked += query.principals is not None  # who writes grants looks for them, too
        await self.answers.wait()
        return await super().find(query)


@asynccontextmanager
async def narrow(search: Slow) -> AsyncIterator[World]:
    """Run a gateway that lets in one request at a time."""
    async with world(search=search, gateway_turns=1) as w:
        await w.opened(HALL)
        await w.happens(said(1))
        search.answers.clear()
        yield w
        search.answers.set()


async def test_more_than_can_be_answered_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    search = Slow()
    async with narrow(search) as w:
        before = metrics.TURNS.labels("refused")._value.get()
        first = asyncio.create_task(w.json("/v1/activities"))
        await eventually(lambda: search.asked, what="the first one asks", pause=0.001)
        answer = await w.get("/v1/search?q=message", as_="bob")
        said_: Any = await answer.json(content_type=None)
        assert (answer.status, answer.headers["Retry-After"], said_["type"]) == (503, "1", "/docs#too-busy")
        assert search.asked == 1  # who is refused costs the index nothing
        assert metrics.TURNS.labels("refused")._value.get() == before + 1
        assert (await w.get("/v1/me")).status == 200  # what does not ask the index is answered
        search.answers.set()
        assert (await first)["totalItems"] == 1


async def test_a_client_that_has_gone_while_it_waited_is_not_asked_for() -> None:
    search = Slow()
    async with narrow(search) as w:
        first = asyncio.create_task(w.json("/v1/activities"))
        await eventually(lambda: search.asked, what="the first one asks", pause=0.001)
        second = asyncio.create_task(w.get("/v1/activities", as_="bob"))
        await eventually(lambda: "bob" in w.parts.turns._queues, what="the second one waits", pause=0.001)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        third = asyncio.create_task(w.json("/v1/activities", as_="carl"))
        await eventually(lambda: "carl" in w.parts.turns._queues, what="the third one waits", pause=0.001)
        search.answers.set()
        await asyncio.gather(first, third)
        assert search.asked == 4  # two questions each
