"""A server process that is started, waited for, stopped, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from services.common.errors import Stop
from services.standalone import ports, tether

POLL = 0.05
START_SECONDS = 120.0
STOP_SECONDS = 30.0


def tied(command: Sequence[str], *, unroot: bool = False) -> list[str]:
    """The command in a form that ends with this process; as an ordinary user even if this process is root's."""
    options = [tether.UNROOT] if unroot else []
    return [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *options, *command]


class Server:
    """One running server process on a loopback port. It ends when this process ends, however that ends."""

    def __init__(
        self,
        name: str,
        port: int,
        command: Sequence[str],
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        unroot: bool = False,
        stdin: bytes | None = None,
        output: Path | None = None,
    ) -> None:
        """Start the command in `folder`; `stdin` is written to it and its input then kept open.

        What it prints is appended to `output`, or replaces `folder`/output.log.
        """
        self.name = name
        self.port = port
        self.output = output or folder / "output.log"
        with self.output.open("ab" if output else "wb") as printed:
            # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
            self._process = subprocess.Popen(  # noqa: S603 - commands of ours, no shell
                tied(command, unroot=unroot),
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=printed,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **(environ or {})},
                start_new_session=True,
            )
        if stdin is not None:
            self._send(stdin)

    @property
    def pid(self) -> int:
        """Process id, also after the end."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True until the process has ended."""
        return self._process.poll() is None

    @property
    def bootstrap(self) -> str:
        """host:port, as Kafka's clients want it."""
        return f"{ports.HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a URL."""
        return f"http://{self.bootstrap}"

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal); None while it runs."""
        return self._process.poll()

    async def ended(self) -> int:
        """Return its exit code once it has ended."""
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - only the kernel knows when it ends
            await asyncio.sleep(POLL)
        return code

    async def ready(self, answers: Callable[[], Awaitable[bool]], seconds: float = START_SECONDS) -> None:
        """Return once `answers` says yes. Stop, with the process ended, when it ends or stays silent."""
        deadline = time.monotonic() + seconds
        try:
            while not await answers():
                if not self.running:
                    raise Stop(f"{self.name} ended while starting: {self.last_words()} (all of it in {self.output})")
                if time.monotonic() > deadline:
                    raise Stop(f"{self.name} did not answer within {seconds:.0f} s: read {self.output}.")
                await asyncio.sleep(POLL)
        except BaseException:
            self.kill()
            raise

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it politely, after `seconds` by force. Does nothing when it has ended."""
        self._process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ended()
        self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would, and wait until the kernel has taken it away."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def suspend(self) -> None:
        """Freeze it: it keeps its connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended process go on."""
        self._process.send_signal(signal.SIGCONT)

    def last_words(self) -> str:
        """The last line that it wrote and that says something: no part of a stack trace."""
        lines = self.output.read_text(errors="replace").splitlines()
        return next((line for line in reversed(lines) if line and not line[0].isspace()), "it said nothing")

    def _send(self, content: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(content)
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended already; `ready` tells why
