"""Who asks the index when: so many requests at once, the others in turn for a moment, and none beyond that.

Where more is asked than can be answered, waiting helps nobody: everything would be late, and then refused by the
index. So a request that does not get its turn soon is refused at once, for little, and those that do are answered as
quickly as ever. Turns go round among people, so that nobody's many requests keep out somebody else's one. While some
have been waiting all the time, patience is short, so that what is answered has not waited first: as in Maurer, "Fail
at scale", ACM Queue 13(8), 2015 (there "controlled delay").
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic

from services.common import metrics
from services.common.errors import Retry

PATIENCE = 1.0
"""Seconds that a request waits for its turn where waiting is the exception."""
SHORT = 0.2
"""Seconds that it waits where there was somebody waiting for longer than ``PATIENCE``."""
_MOST = 1_000
"""Requests that wait at the most."""

Gone = Callable[[], bool]


class Busy(Retry):
    """More is asked for than can be answered; who asks again in a moment may be answered."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request that waits for its turn, until its future is done."""

    turn: asyncio.Future[None]
    gone: Gone


@dataclass(slots=True, eq=False)
class Visit:
    """One request. Its first question to the index waits for a turn, which is the request's until it ends."""

    turns: "Turns"
    gone: Gone
    refused: bool = False
    has: bool = False
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def come_in(self, who: str) -> None:
        """Return once the request has its turn; raises Busy where it gets none, or where nobody waits any more."""
        async with self._first:  # several questions at once are one visit
            if self.refused or self.gone():
                raise Busy("the request is over")
            if not self.has:
                try:
                    await self.turns.take(who, self.gone)
                except Busy:
                    self.refused = True
                    raise
                self.has = True

    def leave(self) -> None:
        """Let the next one in."""
        self.refused = True  # a question that is still on its way must not take a turn that nobody gives back
        if self.has:
            self.has = False
            self.turns.give_back()


_VISIT: ContextVar[Visit | None] = ContextVar("visit", default=None)


class Turns:
    """``at_once`` requests ask the index at the same time."""

    def __init__(self, at_once: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._free = at_once
        self._clock = clock
        self._queues: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._waiting = 0
        self._since: float | None = None

    @contextmanager
    def visit(self, gone: Gone) -> Iterator[None]:
        """Make what is asked while the block runs one visit; ``gone`` says whether nobody waits for it any more."""
        visit = Visit(self, gone)
        token = _VISIT.set(visit)
        try:
            yield
        finally:
            _VISIT.reset(token)
            visit.leave()

    @asynccontextmanager
    async def question(self, who: str) -> AsyncIterator[None]:
        """Ask the index while the block runs: in the turn of the visit, without one in a turn of its own."""
        visit = _VISIT.get()
        if visit is not None:
            await visit.come_in(who)
            yield
            return
        await self.take(who, _never)
        try:
            yield
        finally:
            self.give_back()

    async def take(self, who: str, gone: Gone) -> None:
        """Return once it is somebody's turn; raises Busy where that takes too long."""
        if self._free:
            self._free -= 1
            metrics.TURNS.labels("at once").inc()
            return
        if self._waiting >= _MOST:
            raise _refused()
        waiting = self._joined(who, gone)
        timer = asyncio.get_running_loop().call_later(self._patience(), _refuse, waiting.turn)
        try:
            await waiting.turn
        except BaseException:
            if waiting.turn.done() and not waiting.turn.cancelled() and waiting.turn.exception() is None:
                self.give_back()  # the turn came, and at the same moment the request was cancelled
            raise
        finally:
            timer.cancel()
            self._waiting -= 1
            metrics.TURNS_WAITING.set(self._waiting)
        metrics.TURNS.labels("waited").inc()

    def give_back(self) -> None:
        """Let the next one in: the first of the person who has been passed over for longest."""
        while self._queues:
            who, queue = self._queues.popitem(last=False)
            one = queue.popleft()
            if queue:
                self._queues[who] = queue  # behind everybody else
            if one.turn.done():
                continue
            if not one.gone():
                one.turn.set_result(None)
                return
            metrics.TURNS.labels("gone").inc()
            one.turn.set_exception(Busy("nobody waits for the answer any more"))
        self._since = None
        self._free += 1

    def _joined(self, who: str, gone: Gone) -> _Waiting:
        waiting = _Waiting(asyncio.get_running_loop().create_future(), gone)
        self._queues.setdefault(who, deque()).append(waiting)
        self._waiting += 1
        metrics.TURNS_WAITING.set(self._waiting)
        if self._since is None:
            self._since = self._clock()
        return waiting

    def _patience(self) -> float:
        lasting = self._since is not None and self._clock() - self._since > PATIENCE
        return SHORT if lasting else PATIENCE


def _never() -> bool:
    return False


def _refuse(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(_refused())


def _refused() -> Busy:
    metrics.TURNS.labels("refused").inc()
    return Busy("more is asked for than can be answered now; ask again in a moment")
