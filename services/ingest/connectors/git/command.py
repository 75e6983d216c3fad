"""The git command, asked without blocking. Settings of the repository and of the user that run programs are off."""

import asyncio
import base64
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from services.common.errors import Retry, Stop
from services.ingest.connectors.git.settings import GitSettings

_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "safe.directory=*")
_CHUNK = 65_536
_SAID = 300


class Git:
    """Runs git on one repository. A secret goes through the environment, never through the command line."""

    def __init__(self, source: str, settings: GitSettings, folder: Path) -> None:
        self._source = source
        self._settings = settings
        self.folder = folder

    async def run(self, *arguments: str) -> str:
        """Return what git printed; raises Retry with the last words of its complaint."""
        process = await self._start(*arguments)
        printed, complaint = await process.communicate()
        if process.returncode:
            raise self._failed(arguments[0], complaint)
        return printed.decode(errors="replace")

    async def succeeds(self, *arguments: str) -> bool:
        """Return whether git says yes."""
        process = await self._start(*arguments)
        await process.communicate()
        return process.returncode == 0

    async def entries(self, *arguments: str, asked: str = "") -> AsyncIterator[str]:
        """Yield what git prints, split at the record separator (0x1e); ``asked`` goes to its standard input."""
        process = await self._start(*arguments)
        assert process.stdout is not None
        feeding = asyncio.create_task(_feed(process, asked))
        complaining = asyncio.create_task(_complaint(process))
        rest = b""
        try:
            while chunk := await process.stdout.read(_CHUNK):
                *whole, rest = (rest + chunk).split(b"\x1e")
                for entry in whole:
                    if entry.strip():
                        yield entry.decode(errors="replace")
            if rest.strip():
                yield rest.decode(errors="replace")
            complaint = await complaining
            if await process.wait():
                raise self._failed(arguments[0], complaint)
        finally:
            feeding.cancel()
            complaining.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()
            await asyncio.gather(feeding, complaining, return_exceptions=True)

    async def _start(self, *arguments: str) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                "git", *_SAFE, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=self.folder, env=self._environ()
            )
        except FileNotFoundError as error:
            what = "git is not installed" if self.folder.is_dir() else f"{self.folder} is not there"
            raise Stop(f"source {self._source}: {what}") from error

    def _environ(self) -> dict[str, str]:
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            "LC_ALL": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
        }
        token = self._settings.token.get_secret_value()
        if token:
            pair = base64.b64encode(f"{self._settings.username or 'git'}:{token}".encode()).decode()
            environ |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {pair}",
            }
        if "SSH_AUTH_SOCK" in os.environ:
            environ["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
        return environ

    def _failed(self, what: str, complaint: bytes) -> Retry:
        words = " ".join(complaint.decode(errors="replace").split())[-_SAID:]
        return Retry(f"source {self._source}: git {what} failed: {words or 'it said nothing'}")


async def _feed(process: Process, text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text.encode())
    await process.stdin.drain()
    process.stdin.close()


async def _complaint(process: Process) -> bytes:
    assert process.stderr is not None
    return await process.stderr.read()
