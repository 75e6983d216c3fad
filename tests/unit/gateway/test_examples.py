"""Every command on the page about the API and in docs/api.md runs, as it stands there."""

import asyncio
import os
import re
import shutil
from html import unescape

import pytest

from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, World, said, world
from tools.docs import FOLDER

SECONDS = "1"
"""What a stream is read for."""
ENDED, TIMED_OUT = 0, 28

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


async def run(command: str) -> tuple[int | None, str]:
    """Run a command with curl's errors as errors, and streams for a moment."""
    command = command.replace("curl ", f"curl -sS --fail-with-body --max-time {SECONDS} ")
    process = await asyncio.create_subprocess_shell(
        command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "ID": "chat:1", "no_proxy": "*"},
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def prepared(w: World) -> str:
    await w.opened(HALL)
    await w.happens(said(1, text="release notes", who="bob"), said(2))
    await recommend(w, "chat:1", 1.0)
    return str(w.client.make_url("")).rstrip("/")


async def check(command: str) -> None:
    code, said = await run(command)
    if "/v1/stream?" in command or command.rstrip("'").endswith("/v1/stream"):
        assert code == TIMED_OUT, (command, said)
        assert said.startswith(("retry: ", '{"cursor"', "curl: (28)")) or "retry: " in said, (command, said)
    else:
        assert code == ENDED, (command, said)


async def test_the_examples_of_the_page() -> None:
    async with world() as w:
        origin = await prepared(w)
        page = await (await w.get("/docs")).text()
        commands = [unescape(one) for one in re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)]
        assert len(commands) > 10
        assert all(origin in command for command in commands)
        await asyncio.gather(*map(check, commands))


async def test_the_examples_of_the_documentation() -> None:
    text = (FOLDER / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    commands = [one for block in blocks for one in re.split(r"\n(?=curl )", block.strip())]
    assert len(commands) > 4
    async with world() as w:
        origin = await prepared(w)
        await asyncio.gather(*(check(command.replace("http://127.0.0.1:8080", origin)) for command in commands))
