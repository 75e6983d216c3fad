"""One runner for all services: signals, start order, stop order, exit codes.

A service is an async context manager that yields its parts to run. Leaving it stops them in reverse order.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvloop
from aiohttp import web

from services.common import logs, registry
from services.common.errors import Retry, Stop
from services.common.settings import Settings

Part = Coroutine[Any, Any, None]
Service = Callable[[Settings], AbstractAsyncContextManager[Sequence[Part]]]

EXIT_STOPPED = 1
"""A Stop ended the service: a person has to mend something."""
EXIT_RETRY = 75
"""Something needed was not there (EX_TEMPFAIL of sysexits.h): starting again later may help."""


def main(name: str, service: Service, settings: Settings) -> None:
    """Run a service until SIGTERM or SIGINT, or until a part fails; exits with the code that says which."""
    logs.configure(name, form=settings.log_format, level=settings.log_level)
    sys.exit(uvloop.run(_supervise(name, service, settings)))


async def _supervise(name: str, service: Service, settings: Settings) -> int:
    log = logs.get(__name__)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    try:
        await registry.learn(settings)
        async with service(settings) as parts:
            log.info("started")
            await _until(stop, parts)
    except Stop as error:
        log.error("stopped", reason=str(error))
        return EXIT_STOPPED
    except Retry as error:
        log.error("cannot go on for now", reason=str(error))
        return EXIT_RETRY
    log.info("ended", service=name)
    return 0


async def _until(stop: asyncio.Event, parts: Sequence[Part]) -> None:
    """Run the parts until ``stop`` is set or one of them ends; the first failure ends them all and is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        task.cancel()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    for task in done - {waiting}:
        task.result()
        if not stop.is_set():
            raise Stop("a part of the service ended by itself; this is a mistake in the service, please report it")


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve an application while the block runs; yields the port. Raises Stop when the port is taken."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=10)
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
