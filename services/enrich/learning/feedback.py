"""What people said of recommendations, as labels: JSON lines with the fields of ``feedback.v1``."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from services.common.errors import Stop

_GOOD = frozenset({"useful", "new-to-me"})
_BAD = frozenset({"not-useful", "less"})

Said = Mapping[tuple[str, str], bool]
"""By person and object: whether it was of use."""


def read(path: Path | None) -> Said:
    """Return what was said, the last word counting. Raises Stop with the number of a line that is wrong."""
    said: dict[tuple[str, str], bool] = {}
    if path is None:
        return said
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Stop(f"feedback {path} cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                record = orjson.loads(line)
                _take(said, record.get("value", record) if isinstance(record.get("value"), dict) else record)
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise Stop(f"{path}, line {number} is no feedback ({error}); see docs/train.md for its form") from error
    return said


def _take(said: dict[tuple[str, str], bool], record: Mapping[str, object]) -> None:
    pair, kind = (str(record["person"]), str(record["subject"])), record["kind"]
    if kind in _GOOD | _BAD:
        if record.get("undone"):
            said.pop(pair, None)
        else:
            said[pair] = kind in _GOOD
