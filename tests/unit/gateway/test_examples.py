"""Every command on the page about the API and in docs/api.md runs, as it stands there."""

import asyncio
import json
import os
import re
import shlex
import shutil
from html import unescape

import pytest

from services.gateway import examples
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, World, said, world
from tools.docs import FOLDER

STREAMED, PLAIN = 1, 60
"""Seconds that a stream is read for, and that anything else may take."""
ENDED, TIMED_OUT = 0, 28

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


async def run(command: str, seconds: int) -> tuple[int | None, str]:
    """Run a command with curl's errors as errors."""
    command = command.replace("curl ", f"curl -sS --fail-with-body --max-time {seconds} ", 1)
    process = await asyncio.create_subprocess_shell(
        command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "no_proxy": "*"},
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def prepared(w: World) -> str:
    await w.opened(HALL)
    await w.happens(said(1, text="release notes", who="bob"), said(2))
    await recommend(w, "chat:1", 1.0)
    return str(w.client.make_url("")).rstrip("/")


def commands(block: str) -> list[str]:
    return re.split(r"\n(?=curl )", block.strip())


async def check(block: str) -> None:
    """Run the commands of a block one after the other."""
    for command in commands(block):
        streams = "-N" in command
        code, said = await run(command, STREAMED if streams else PLAIN)
        assert code == (TIMED_OUT if streams else ENDED), (command, said)


async def test_the_examples_of_the_page() -> None:
    async with world() as w:
        origin = await prepared(w)
        page = await (await w.get("/docs")).text()
        blocks = [unescape(one) for one in re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)]
        assert len(blocks) > 10
        assert all(origin in block for block in blocks)
        assert f"curl '{origin}/v1/activities?person=ann&container=chat:hall'" in blocks
        await asyncio.gather(*map(check, blocks))


def test_where_programs_need_a_token_every_example_sends_one_and_names_nobody() -> None:
    for one in examples.commands("https://water.example", token=True):
        assert one.command.count("curl ") == one.command.count('curl -H "Authorization: Bearer $TOKEN" ')
        assert "as=" not in one.command


def test_ids_of_any_characters_stay_ids() -> None:
    odd = examples.Names(person="a b&c'", place="x'$(y)/z", thing='it\'s "a" \\ `b`')
    for one in examples.commands("http://127.0.0.1:1", odd):
        words = shlex.split(one.command.replace("\\\n", " "))
        assert not {"$(y)", "`b`"} & set(words)
        if "feedback" in one.command:
            assert json.loads(words[-1])["subject"] == odd.thing


async def test_the_examples_of_the_documentation() -> None:
    blocks = re.findall(r"```sh\n(curl .*?)```", (FOLDER / "api.md").read_text(encoding="utf-8"), re.DOTALL)
    assert sum(len(commands(block)) for block in blocks) > 4
    async with world() as w:
        origin = await prepared(w)
        await asyncio.gather(*(check(block.replace("http://127.0.0.1:8080", origin)) for block in blocks))
