"""Mistakes in settings, in words, with the line they stand on."""

import re
from pathlib import Path

from pydantic import ValidationError


def explain(error: ValidationError, path: Path, *, within: tuple[int | str, ...] = ()) -> str:
    """Return one line a mistake: where, what, what to do. Values are not repeated: they may be secret.

    ``within`` is the place of what was validated, where that was a part of the file.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return "\n".join(_one((*within, *one["loc"]), one["msg"], one["type"], path, lines) for one in error.errors())


def _one(loc: tuple[int | str, ...], message: str, kind: str, path: Path, lines: list[str]) -> str:
    name = ".".join(str(part) for part in loc)
    line = line_of(loc, lines)
    where = f"{path}:{line}" if line else f"WATERCOOLER_{name.replace('.', '__').upper()}"
    what = "is not a setting; see docs/settings.md for those there are" if kind == "extra_forbidden" else message
    if kind == "missing":
        what = "is missing"
    return f"{where}: {name} {what[0].lower()}{what[1:]}"


def line_of(loc: tuple[int | str, ...], lines: list[str]) -> int | None:
    """Return the 1-based line in a TOML file that a place such as ('sources', 1, 'url') is written on."""
    start, key = 0, loc[-1] if loc else ""
    if len(loc) > 1 and isinstance(loc[1], int):
        heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{re.escape(str(loc[0]))}\s*\]\]", line)]
        if loc[1] >= len(heads):
            return None
        start = heads[loc[1]]
    for number, line in enumerate(lines[start:], start + 1):
        if re.match(rf"\s*[\"']?{re.escape(str(key))}[\"']?\s*=", line):
            return number
    return start + 1 if len(loc) > 1 and start < len(lines) else None
