"""Stretches of the calendar that a topic's life is cut into. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

MOST = 14
"""Spans of one topic."""
_DAYS = (1, 7)
_MONTHS = (1, 3, 12, 60, 600, 12_000)
_MONDAY = datetime(1, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` until before ``end``; ``label`` is short, for people."""

    start: datetime
    end: datetime
    label: str


def spans(first: datetime, last: datetime) -> list[Span]:
    """Return the shortest equal spans of the calendar, at most ``MOST``, that hold both times and all between."""
    for days in _DAYS:
        found = list(islice(_of_days(first, last, days), MOST + 1))
        if len(found) <= MOST:
            return found
    for months in _MONTHS:
        found = list(islice(_of_months(first, last, months), MOST + 1))
        if len(found) <= MOST:
            return found
    raise ValueError(f"no calendar spans hold {first} and {last}")


def _of_days(first: datetime, last: datetime, days: int) -> Iterator[Span]:
    start = _MONDAY + timedelta(days=(first - _MONDAY).days // days * days)
    while start <= last:
        end = start + timedelta(days=days) if _END - start > timedelta(days=days) else _END
        yield Span(start, end, f"{start.day} {start:%b}")
        if end == _END:
            return
        start = end


def _of_months(first: datetime, last: datetime, months: int) -> Iterator[Span]:
    number = (first.year * 12 + first.month - 1) // months * months
    while (start := _month(number)) <= last:
        yield Span(start, _month(number + months), _label(start, months))
        number += months


def _month(number: int) -> datetime:
    """Return the beginning of a month, counted from the year 0 on; the calendar ends with the year 9999."""
    year, month = divmod(number, 12)
    return _END if year > 9999 else datetime(max(year, 1), month + 1, 1, tzinfo=UTC)


def _label(start: datetime, months: int) -> str:
    if months >= 12:
        return str(start.year)
    return f"{start:%b} {start.year}" if months == 1 else f"Q{(start.month + 2) // 3} {start.year}"
