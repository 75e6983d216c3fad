"""The data folder `.watercooler/`: what is in it, and whether this version can read it."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from services.common.errors import Stop

FORMAT = 1
NEEDED_BYTES = 1_000_000_000


def cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Where downloads are kept, outside any checkout: WATERCOOLER_CACHE, else the user's cache folder."""
    if chosen := environ.get("WATERCOOLER_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "watercooler"


def prepare(state: Path) -> Path:
    """Create or check the data folder and return its absolute path.

    Stop when it cannot be written, lacks room, or was written by a version whose data this one cannot read.
    """
    state = state.absolute()
    try:
        state.mkdir(parents=True, exist_ok=True)
        _check_format(state)
    except OSError as error:
        raise Stop(
            f"The data folder {state} cannot be written ({error.strerror}): choose another with --state."
        ) from error
    require_room(state, NEEDED_BYTES)
    return state


def require_room(folder: Path, needed: int) -> None:
    """Stop when the disk under `folder`, which exists, has fewer than `needed` bytes left."""
    left = shutil.disk_usage(folder).free
    if left < needed:
        raise Stop(
            f"The disk under {folder} has {left / 1e6:,.0f} MB left and {needed / 1e6:,.0f} MB are needed: "
            "make room, or choose a folder on another disk."
        )


def _check_format(state: Path) -> None:
    marker = state / "format.json"
    if marker.exists():
        found = _read_format(marker)
    elif any(entry.name not in ("lock", "format.new") for entry in state.iterdir()):
        found = "unknown"
    else:
        temporary = marker.with_suffix(".new")
        temporary.write_text(json.dumps({"format": FORMAT}) + "\n")
        temporary.replace(marker)
        return
    if found != FORMAT:
        raise Stop(
            f"The data folder {state} has format {found} and this version reads format {FORMAT}: "
            "move it away to start afresh, or run the version that wrote it."
        )


def _read_format(marker: Path) -> object:
    try:
        content = json.loads(marker.read_text())
    except ValueError:
        return "unknown"
    return content.get("format", "unknown") if isinstance(content, dict) else "unknown"
