"""One runner for all services: signals, start order, stop order, exit codes.

A service is an async context manager that yields its parts to run. Leaving it stops them in reverse order.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from services.common import logs, registry
from services.common.bus import Unpublished
from services.common.errors import Retry, Stop
from services.common.settings import Settings

Part = Coroutine[Any, Any, None]
Service = Callable[[Settings], AbstractAsyncContextManager[Sequence[Part]]]

EXIT_STOPPED = 1
"""A Stop ended the service: a person has to mend something."""
EXIT_FAILED = 70
"""A mistake of ours ended the service (EX_SOFTWARE of sysexits.h): the log says where; starting again may help."""
EXIT_RETRY = 75
"""Something needed was not there (EX_TEMPFAIL of sysexits.h): starting again later may help."""
_IDLE = 75.0
"""Seconds after which a connection is closed on which no whole head of a request came. (Proxies keep theirs for 60.)"""


def main(name: str, service: Service, settings: Settings) -> None:
    """Run a service until SIGTERM or SIGINT, or until a part fails; exits with the code that says which.

    A second signal ends the process at once, without draining.
    """
    logs.configure(name, form=settings.log_format, level=settings.log_level)
    sys.exit(uvloop.run(supervise(service, settings)))


async def supervise(service: Service, settings: Settings) -> int:
    """Run a service to its end and return its exit code."""
    log = logs.get(__name__)
    life = _Life()
    life.work = asyncio.create_task(_live(service, settings, life))
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, life.end)
    try:
        await life.work
    except asyncio.CancelledError:
        if not life.stop.is_set():  # cancelled by something that was itself failing: nobody asked us to end
            log.error("cannot go on for now", reason="the start was broken off by a client that was closing")
            return EXIT_RETRY
        log.info("ended before it had started")
        return 0
    except Exception as error:
        return _code(error)
    log.info("ended")
    return 0


def _code(error: Exception) -> int:
    """Log what ended a service and return the exit code that says so."""
    log = logs.get(__name__)
    for kind, message, code in (
        (Stop, "stopped", EXIT_STOPPED),
        (Retry, "cannot go on for now", EXIT_RETRY),
    ):
        for one in _leaves(error):
            if isinstance(one, kind):
                log.error(message, reason=str(one))
                return code
    log.error("failed by a mistake of ours", error=type(error).__name__, exc_info=error)
    return EXIT_FAILED


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    elif isinstance(error, Unpublished):  # what each of its records failed for says what happens next
        yield from (one for _, one in error.failures)
    else:
        yield error


@dataclass(slots=True)
class _Life:
    """A running service, as the signals see it."""

    work: asyncio.Task[None] | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    started: bool = False

    def end(self) -> None:
        """Stop what runs, or give up what is only starting; the second time there is no waiting."""
        if self.stop.is_set():
            logs.get(__name__).warning("ended at once by a second signal")
            os._exit(EXIT_RETRY)
        self.stop.set()
        if self.work and not self.started:
            self.work.cancel()


async def _live(service: Service, settings: Settings, life: _Life) -> None:
    await registry.learn(settings)
    async with service(settings) as parts:
        life.started = True
        logs.get(__name__).info("started")
        await _until(life.stop, parts)


async def _until(stop: asyncio.Event, parts: Sequence[Part]) -> None:
    """Run the parts until ``stop`` is set or one of them ends; the first failure ends them all and is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    early = [task for task in tasks if task.done()]
    for task in (*tasks, waiting):
        task.cancel()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    # A part may also fail while it is being ended; that is no quieter than before.
    failed = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if failed:
        raise failed[0] if len(failed) == 1 else BaseExceptionGroup("several parts failed", failed)
    if early and not stop.is_set():
        raise Stop("a part of the service ended by itself; this is a mistake in the service, please report it")


class _NotHttp(logging.Filter):
    """Leaves out that something came that is not HTTP: its sender is told so, and must not fill the log with traces."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether it is logged."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_not_http = _NotHttp()


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve an application while the block runs; yields the port. Raises Stop when the port is taken."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=10,
        keepalive_timeout=_IDLE,
    )
    logging.getLogger("aiohttp.server").addFilter(_not_http)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise Stop(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another port in the settings"
            ) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
