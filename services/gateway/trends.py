"""What rises, from ``trend.v1``, as far as the asker may know: counted from the places that are open to them alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.common import topics
from services.common.access import AccessState
from services.common.bus import Bus, Received
from services.common.model import EPOCH
from services.common.rising import LEAST_COUNT, LEAST_SCORE, surprise
from services.common.view import DecodedView
from services.gateway.auth import Asker

KINDS = ("rise", "jump", "same-work")
_MOST = 5_000
_SHOWN = 2
"""Newest windows that are shown."""


class Trends(DecodedView):
    """The newest trends, by key."""

    absent = True

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, topics.TREND)
        self._records: dict[str, Mapping[str, Any]] = {}

    def take(self, received: Received, record: Mapping[str, Any] | None) -> None:
        """Take a trend, or that there is none."""
        key = received.key
        self._records.pop(key, None)
        if record is not None:
            self._records[key] = record
            if len(self._records) > _MOST:
                del self._records[next(iter(self._records))]

    def newest(self, kind: str = "") -> list[Mapping[str, Any]]:
        """Return trends of the two newest weeks, and who is on the same work, whenever that was found."""
        since = sorted({record["windowStart"] for record in self._records.values()})[-_SHOWN:]
        first = since[0] if since else EPOCH
        return [
            record
            for record in self._records.values()
            if record["kind"] in ((kind,) if kind else KINDS)
            and (record["windowStart"] >= first or record["kind"] == "same-work")
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A trend as somebody may see it."""

    kind: str
    label: str
    words: Sequence[str]
    start: datetime
    end: datetime
    count: int
    expected: float
    score: float
    parts: Sequence[Mapping[str, Any]]


def seen(held: Trends, access: AccessState, asker: Asker, *, kind: str = "", container: str = "") -> list[Seen]:
    """Return trends as the asker may see them, the newest week first, then the most unexpected."""
    found = [one for record in held.newest(kind) if (one := _seen(record, access, asker)) is not None]
    if container:
        found = [one for one in found if any(part["container"] == container for part in one.parts)]
    return sorted(found, key=lambda one: (-one.start.timestamp(), -one.score, one.label))


def _seen(record: Mapping[str, Any], access: AccessState, asker: Asker) -> Seen | None:
    parts = [part for part in record["parts"] if _open(part, access, asker)]
    # A jump without its beginning, and half of the same work, say nothing; their words may be of the other half.
    whole = len(parts) == len(record["parts"])
    if record["kind"] == "same-work" and not whole:
        return None
    if record["kind"] == "jump" and (len(parts) < 2 or parts[0] is not record["parts"][0]):
        return None
    count, expected = sum(part["count"] for part in parts), sum(part["expected"] for part in parts)
    score = record["score"] if record["kind"] == "same-work" else surprise(count, expected or 1.0)
    if record["kind"] == "rise" and (count < LEAST_COUNT or score < LEAST_SCORE):
        return None
    return Seen(
        kind=record["kind"],
        label=record["label"],
        words=record["words"],
        start=record["windowStart"],
        end=record["windowEnd"],
        count=count,
        expected=expected,
        score=score,
        parts=parts,
    )


def _open(part: Mapping[str, Any], access: AccessState, asker: Asker) -> bool:
    """Return whether a part may be counted: its place is open, and nothing that it shows was closed or withdrawn."""
    container = part["container"]
    return access.may_open(asker.principals, container) and all(
        access.may_open(asker.principals, container, object_id) and not access.withdrawn(object_id, "", 0)
        for object_id in part["objects"]
    )
