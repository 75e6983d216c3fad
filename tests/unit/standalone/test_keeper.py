import asyncio
from collections.abc import Callable

import pytest

from services.common.errors import Stop
from services.standalone.keeper import Keeper
from services.standalone.parts import Part, State
from services.standalone.process import Server


class Short:
    """A process that ends when told, with a code."""

    pid = 4711

    def __init__(self) -> None:
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stopped = False

    async def ended(self) -> int:
        return await self.end

    async def stop(self) -> None:
        self.stopped = True

    def last_words(self) -> str:
        return "out of paper"


class Starter:
    """Starts short processes, or refuses."""

    def __init__(self) -> None:
        self.started: list[Short] = []
        self.refuse = False

    async def __call__(self) -> Server:
        if self.refuse:
            raise Stop("no port")
        self.started.append(Short())
        return self.started[-1]  # type: ignore[return-value]


class Pauses:
    """Notes the pauses asked for and waits for none, but lets others run."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until it is so."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not come to that")


async def test_what_ends_is_started_again_after_growing_pauses() -> None:
    starter, part, pauses = Starter(), Part("printer", "prints"), Pauses()
    task = asyncio.create_task(Keeper(part, starter, sleep=pauses).keep())
    for number in range(1, 9):
        await until(lambda number=number: len(starter.started) == number and part.state is State.RUNNING)  # type: ignore[misc]
        starter.started[-1].end.set_result(3)
    await until(lambda: len(pauses.asked) == 8)
    task.cancel()
    assert pauses.asked == [1, 2, 4, 8, 16, 32, 60, 60]
    assert part.restarts == 8


async def test_the_reason_of_an_end_is_shown() -> None:
    starter, part, told = Starter(), Part("printer", "prints"), []

    async def pause(_: float) -> None:
        told.append((part.state, part.detail))
        await asyncio.sleep(0)

    kept = Keeper(part, starter, sleep=pause)
    await kept.first()
    assert (part.state, part.pid) == (State.RUNNING, 4711)
    starter.refuse = True
    task = asyncio.create_task(kept.keep())
    starter.started[0].end.set_result(-9)
    await until(lambda: len(told) >= 2)
    task.cancel()
    assert told[:2] == [
        (State.RESTARTING, "in 1 s; was ended by signal 9: out of paper"),
        (State.RESTARTING, "in 2 s; no port"),
    ]


async def test_the_first_start_fails_at_once() -> None:
    starter = Starter()
    starter.refuse = True
    with pytest.raises(Stop, match="no port"):
        await Keeper(Part("printer", "prints"), starter).first()


async def test_stopping_stops_the_process_of_now() -> None:
    starter, part = Starter(), Part("printer", "prints")
    kept = Keeper(part, starter)
    await kept.stop()
    assert part.state is State.STOPPED, "nothing had been started"
    await kept.first()
    await kept.stop()
    assert starter.started[0].stopped
    assert part.state is State.STOPPED
