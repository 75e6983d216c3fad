"""What the person at the terminal sees: a calm table that stays in place, or plain lines where there is no terminal."""

import sys
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from services.standalone.parts import Part, State, Status

_STYLES = {
    State.RUNNING: "green",
    State.GIVEN: "green",
    State.FETCHING: "cyan",
    State.STARTING: "cyan",
    State.RESTARTING: "yellow",
    State.STOPPING: "cyan",
    State.STOPPED: "dim",
    State.WAITING: "dim",
}


class Screen(Protocol):
    """Shows a status whenever told to, and downloads while they go."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, status: Status) -> None:
        """Show how everything is now."""

    def begin(self, what: str, total: int) -> None:
        """A download of `total` bytes starts; 0: of unknown size."""

    def advance(self, what: str, count: int) -> None:
        """`count` more bytes of it are there."""

    def finish(self, what: str) -> None:
        """It is complete."""


def screen(console: Console | None = None) -> Screen:
    """The screen that fits what the output goes to."""
    console = console or Console()
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)


class LiveScreen:
    """A table that is redrawn in place, downloads with their bars below it."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, status: Status) -> None:
        """Show how everything is now."""
        self._live.update(Group(draw(status), self._progress) if self._tasks else draw(status), refresh=True)

    def begin(self, what: str, total: int) -> None:
        """Add a bar."""
        self._tasks[what] = self._progress.add_task(f"fetching {what}", total=total or None)

    def advance(self, what: str, count: int) -> None:
        """Move the bar."""
        self._progress.advance(self._tasks[what], count)

    def finish(self, what: str) -> None:
        """Take the bar away."""
        self._progress.remove_task(self._tasks.pop(what))


class PlainScreen:
    """A line whenever a part's state changes: for log files and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, tuple[State, str]] = {}
        self._open = self._ready = False
        self._bytes: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, status: Status) -> None:
        """Print what has changed since the last time."""
        for part in status.parts:
            # Of the demo the state alone: where it is changes every second.
            now = (part.state, "" if part.name == "demo" and part.state is State.RUNNING else part.detail)
            if now != self._seen.get(part.name, (State.WAITING, "")):
                self._say(f"{part.name}: {part.state}" + (f" ({now[1]})" if now[1] else ""))
            self._seen[part.name] = now
        if status.open and not self._open:
            self._say(f"open {status.page}" + ("" if status.ready else " (more of it as the other parts arrive)"))
        if status.ready and not self._ready:
            self._say("ready; stop with Ctrl-C or `watercooler down`")
        self._open, self._ready = status.open, status.ready

    def begin(self, what: str, total: int) -> None:
        """Say that it starts."""
        self._bytes[what] = (0, total)
        self._say(f"{what}: fetching" + (f" {total / 1e6:.0f} MB" if total else ""))

    def advance(self, what: str, count: int) -> None:
        """Say every tenth of the way."""
        done, total = self._bytes[what]
        self._bytes[what] = (done + count, total)
        if total and (done + count) * 10 // total > done * 10 // total:
            self._say(f"{what}: {(done + count) * 100 // total} %")

    def finish(self, what: str) -> None:
        """Say that it is there."""
        self._say(f"{what}: fetched")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        sys.stdout.flush()


def draw(status: Status, hint: str = "Ctrl-C stops everything; nothing is lost.") -> RenderableType:
    """The status as a table, with what to open above it and how to stop below."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True, min_width=max((len(part.name) for part in status.parts), default=0))
    table.add_column("state", no_wrap=True, min_width=len(State.RESTARTING))
    table.add_column("a second", no_wrap=True, justify="right")
    table.add_column("behind", no_wrap=True, justify="right")
    table.add_column("", ratio=1, style="dim")
    for part in status.parts:
        table.add_row(*_row(part))
    heading = Text.assemble(("Watercooler  ", "bold"), *_opening(status))
    if status.over:
        hint = "Nothing is lost: `watercooler up` goes on from here."
    return Group(heading, Text(), table, Text(), Text(hint, style="dim"))


def _opening(status: Status) -> list[tuple[str, str]]:
    if status.over:
        return [("has stopped", "")]
    if status.open:
        rest = "" if status.ready else "  (more of it as the other parts arrive)"
        return [("open ", ""), (status.page, "bold cyan underline"), (rest, "dim")]
    return [("getting ready; the page will be at ", "dim"), (status.page, "dim")]


def _row(part: Part) -> tuple[RenderableType, ...]:
    rate = "" if part.rate is None else f"{part.rate:,.0f}"
    lag = "" if part.lag is None else f"{part.lag:,}"
    told = part.detail or part.does
    if part.restarts:
        told += f" (restarts: {part.restarts})"
    return part.name, Text(part.state, style=_STYLES[part.state]), rate, lag, Text(told)
