"""Which weights are in use: those trained on the organisation's own history, in the state folder, else those shipped.

Two files: the weights in use and those before them, so that one can go back. Each is written beside and moved into its
place, so that a reader finds the old or the new and never a half.
"""

from pathlib import Path

from services.common.errors import Stop
from services.enrich.scoring.relevance import Weights

_FOLDER = "relevance"
_NOW = "weights.json"
_BEFORE = "weights.before.json"


def weights_in(state: Path) -> Weights:
    """Return the weights in use. Raises Stop when the file is none."""
    path = state / _FOLDER / _NOW
    return Weights.load(path) if path.exists() else Weights.shipped()


def install(state: Path, weights: Weights) -> Path:
    """Put weights in use, keep those before, and return where they are."""
    folder = state / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _BEFORE, weights_in(state))
    _write(folder / _NOW, weights)
    return folder / _NOW


def restore(state: Path) -> Weights:
    """Go back to the weights before; doing it twice goes forth again. Raises Stop when there are none."""
    folder = state / _FOLDER
    if not (folder / _BEFORE).exists():
        raise Stop(f"there are no weights to go back to in {folder}; `watercooler train DATA` makes new ones")
    before, now = Weights.load(folder / _BEFORE), weights_in(state)
    _write(folder / _BEFORE, now)
    _write(folder / _NOW, before)
    return before


def _write(path: Path, weights: Weights) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(weights.text())
    fresh.replace(path)
