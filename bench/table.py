"""What the benchmarks found: rows, as a table for people and as JSON for scripts."""

import json
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}
_BAR = re.compile(r"(ratio )?(>=|<=) ([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    ``peer`` says beside what it was measured ("bare aiokafka producer: 21,000/s"), ``ratio`` is value : peer. ``bar``
    is what has to be reached: ">= 10000" and "<= 0.5" are about the value, "ratio >= 0.5" about the ratio; "; "
    between several; empty where there is none.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    ratio: float | None = None
    bar: str = ""

    def __post_init__(self) -> None:
        """Refuse a bar that cannot be read: ValueError."""
        for part in self._bars():
            if not _BAR.fullmatch(part):
                raise ValueError(f"{self.name}: the bar {part!r} is not like '>= 10' or 'ratio >= 0.5'")

    @property
    def met(self) -> bool | None:
        """Whether every bar is reached; None where there is none."""
        found = [self._holds(part) for part in self._bars()]
        return all(found) if found else None

    def _bars(self) -> list[str]:
        return [part for part in self.bar.split("; ") if part]

    def _holds(self, part: str) -> bool:
        of_ratio, sign, limit = _BAR.fullmatch(part).groups()  # type: ignore[union-attr]  # __post_init__ looked
        value = self.ratio if of_ratio else self.value
        return value is not None and _COMPARE[sign](value, float(limit))


def number(value: float) -> str:
    """Return a figure with three digits that matter: 12,345 or 1.23."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_json(rows: Sequence[Row]) -> str:
    """Return the rows as a JSON array, each with ``met``."""
    return json.dumps([{**asdict(row), "met": row.met} for row in rows], indent=1)


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table for docs/bench.md."""
    head = ["| Figure | Value | Beside | Ratio | Bar | |", "|---|---:|---|---:|---|---|"]
    return "\n".join([*head, *("| " + " | ".join(_cells(row)) + " |" for row in rows)])


def merged(page: str, rows: Sequence[Row]) -> str:
    """Return docs/bench.md with these rows instead of those of the same name; the others stay. ValueError: no table."""
    lines = page.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("| Figure ")), None)
    if start is None:
        raise ValueError("the page has no table that begins with '| Figure '")
    end = next((at for at in range(start, len(lines)) if not lines[at].startswith("|")), len(lines))
    head, *new = as_markdown(rows).splitlines()[1:]
    kept = {line.split(" | ")[0]: line for line in lines[start + 2 : end]}
    kept |= {line.split(" | ")[0]: line for line in new}
    return "\n".join([*lines[: start + 1], head, *kept.values(), *lines[end:]]) + "\n"


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print the rows as a table."""
    table = Table("Figure", "Value", "Beside", "Ratio", "Bar", "", title="Watercooler, measured", title_justify="left")
    for row in rows:
        table.add_row(*_cells(row), style="red" if row.met is False else None)
    (console or Console()).print(table)


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "met", False: "missed", None: ""}[row.met]
    ratio = "" if row.ratio is None else number(row.ratio)
    return row.name, f"{number(row.value)} {row.unit}".strip(), row.peer, ratio, row.bar, verdict
