"""One run of everything: until somebody asks for its end, or until it cannot go on."""

import asyncio
import signal

from services.common.errors import Retry, Stop
from services.standalone.plan import Plan
from services.standalone.screen import Screen
from services.standalone.stack import Stack


async def run(planned: Plan, shown: Screen, *, demo: bool) -> None:
    """Run everything until SIGINT or SIGTERM, then stop it in order; raises what ended it otherwise."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    stack = Stack(planned, shown, demo=demo)
    work = asyncio.create_task(stack.run())
    asking = asyncio.create_task(asked.wait())
    await asyncio.wait([work, asking], return_when=asyncio.FIRST_COMPLETED)
    for task in (work, asking):
        task.cancel()
    await asyncio.wait([work, asking])
    # A second Ctrl-C must not leave things half stopped; who cannot wait has kill -9, which is safe too.
    await stack.stop()
    if not asked.is_set() and (error := work.exception()) is not None:
        raise told(error)


def told(error: BaseException) -> BaseException:
    """The error to end with: the one sentence that was meant for people if there is one, else what came first."""
    if isinstance(error, BaseExceptionGroup):
        error = _leaves(error.subgroup((Stop, Retry)) or error)[0]
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return Stop(f"{error.strerror or error}{place}: everything was stopped; mend that, and start it again.")
    return error


def _leaves(group: BaseExceptionGroup) -> list[BaseException]:
    found: list[BaseException] = []
    for one in group.exceptions:
        found += _leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
