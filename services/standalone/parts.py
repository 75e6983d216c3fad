"""What `up` shows and `status` reads: one line for each part that runs."""

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from services.common.errors import Stop

FILE = "status.json"


class State(StrEnum):
    """How a part is."""

    WAITING = "waiting"
    FETCHING = "fetching"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    GIVEN = "yours"  # it was there before and is not ours to stop


@dataclass(slots=True)
class Part:
    """One server, service or task. `rate` is in records a second, `lag` in records; None where there is no such."""

    name: str
    does: str
    state: State = State.WAITING
    detail: str = ""
    pid: int | None = None
    restarts: int = 0
    rate: float | None = None
    lag: int | None = None
    answers: bool = False  # over HTTP, though something may be missing still

    def set(self, state: State, detail: str = "", pid: int | None = None) -> None:
        """Say how it is now; rate and lag are unknown until measured again."""
        self.state, self.detail, self.pid, self.answers = state, detail, pid, False
        if state is not State.RUNNING:
            self.rate = self.lag = None


@dataclass(slots=True)
class Status:
    """Everything at one moment."""

    page: str
    pid: int = field(default_factory=os.getpid)
    open: bool = False  # the page answers
    ready: bool = False  # everything runs
    parts: list[Part] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """True when everything of ours has been stopped."""
        return bool(self.parts) and all(part.state in (State.STOPPED, State.GIVEN) for part in self.parts)

    def part(self, name: str, does: str) -> Part:
        """Add a part and return it."""
        one = Part(name, does)
        self.parts.append(one)
        return one

    def save(self, state: Path) -> None:
        """Write it for `status`, never half."""
        temporary = state / f"{FILE}.new"
        temporary.write_text(json.dumps(asdict(self)) + "\n")
        temporary.replace(state / FILE)


def load(state: Path) -> Status:
    """Read what `up` wrote last. Stop when it cannot be read."""
    try:
        content = json.loads((state / FILE).read_text())
        parts = [Part(**{**part, "state": State(part["state"])}) for part in content.pop("parts")]
        return Status(**content, parts=parts)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Stop(f"The status in {state / FILE} cannot be read ({error}): wait a second and ask again.") from error
