"""The command: ask a gateway for all its promises and print what became of them."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import click
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from rich.console import Console
from rich.table import Table

from bench.conformance.checks import CHECKS, Check
from bench.conformance.target import Broken, Target, Untried


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one promise: kept, broken or untried, and why."""

    check: Check
    what: str
    why: str = ""


async def tried(target: Target, checks: Sequence[Check] = tuple(CHECKS)) -> list[Verdict]:
    """Try promises one after the other."""
    return [await _one(target, check) for check in checks]


async def _one(target: Target, check: Check) -> Verdict:
    try:
        await check(target)
    except Untried as reason:
        return Verdict(check, "untried", str(reason))
    except Broken as reason:
        return Verdict(check, "broken", str(reason))
    except (ClientError, OSError, TimeoutError, ValueError, KeyError) as error:
        return Verdict(check, "broken", f"{type(error).__name__}: {error}")
    return Verdict(check, "kept")


def session() -> ClientSession:
    """Return a session that can hold many streams."""
    return ClientSession(timeout=ClientTimeout(total=None, sock_connect=10), connector=TCPConnector(limit=0))


def show(verdicts: Sequence[Verdict]) -> None:
    """Print the table."""
    table = Table("Promise", "", "Why")
    for one in verdicts:
        style = {"broken": "red", "untried": "dim"}.get(one.what)
        table.add_row((one.check.__doc__ or "").strip(), one.what, one.why, style=style)
    Console().print(table)


def _command(line: str) -> Callable[[str], Awaitable[None]]:
    async def run(number: str) -> None:
        await asyncio.to_thread(subprocess.run, line.replace("{n}", number), shell=True, check=True)

    return run


def _pairs(given: Sequence[str], between: str) -> dict[str, str]:
    return {name.strip(): value.strip() for name, _, value in (one.partition(between) for one in given)}


async def _main(urls: Sequence[str], publish: str, restart: str, headers: dict[str, str], **more: object) -> bool:
    async with session() as client:
        target = Target(
            urls=[url.rstrip("/") for url in urls],
            session=client,
            headers=headers,
            publish=(lambda count: _command(publish)(str(count))) if publish else None,
            restart=(lambda: _command(restart)("")) if restart else None,
            **more,  # type: ignore[arg-type]  # click has looked at the types
        )
        verdicts = await tried(target)
    show(verdicts)
    return all(one.what != "broken" for one in verdicts)


@click.command()
@click.argument("urls", nargs=-1, required=True)
@click.option("--publish", default="", help="Shell command that lets {n} events happen.")
@click.option("--restart", default="", help="Shell command that ends the first process, orderly, and starts it again.")
@click.option("--header", "headers", multiple=True, help="Header to send, as 'Authorization: Bearer ...'.")
@click.option("--param", "params", multiple=True, help="Parameter of every stream, as as=ann.")
@click.option("--path", default="/v1/stream", show_default=True, help="Path of the stream.")
@click.option("--page", default="/v1/activities", show_default=True, help="Path of a page that goes on live.")
@click.option("--key", default="id", show_default=True, help="Field of an event's data that names it.")
@click.option("--stale", default="", help="An id that cannot be gone on from.")
@click.option("--limit", default=0, help="Streams that one reader may have.")
@click.option("--patience", default=20.0, show_default=True, help="Seconds to wait for anything.")
def main(urls: Sequence[str], headers: Sequence[str], params: Sequence[str], **more: object) -> None:
    """Ask a gateway at URL (several: its processes) for every promise. Ends with 1 when one is broken.

    \b
    Example:  python -m bench.conformance http://127.0.0.1:8080 --param as=ann --publish 'watercooler import {n}.jsonl'
    """
    kept = asyncio.run(_main(urls, headers=_pairs(headers, ":"), params=_pairs(params, "="), **more))  # type: ignore[arg-type]
    sys.exit(not kept)


if __name__ == "__main__":
    main()
