"""Which weeks are judged: FROM..TO as given, or the last year of the data. Pure."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from services.common.errors import Stop
from services.common.model import micros
from services.enrich.judge.weeks import FOUND_WITHIN, WEEK, mondays

YEAR_OF_WEEKS = 52
_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")
_SHARE_TO_LEARN = 0.5


def parse(text: str) -> tuple[int, int]:
    """Return the micros at which FROM begins and TO ends, of a text such as 2024-07-01..2025-06-30, 2023..2023-06.

    Raises ValueError with what is wrong.
    """
    start, mark, end = text.partition("..")
    if not mark:
        raise ValueError(f"{text!r} is not FROM..TO, such as 2024-07-01..2025-06-30")
    first, last = _day(start, "first"), _day(end, "last") + timedelta(days=1)
    if first >= last:
        raise ValueError(f"{start} lies behind {end}")
    return micros(_midnight(first)), micros(_midnight(last))


def _day(text: str, end: Literal["first", "last"]) -> date:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a day (2024-07-01), a month (2024-07) or a year (2024)")
    year, month, day = found.groups()
    month = month or ("01" if end == "first" else "12")
    try:
        day = day or ("01" if end == "first" else str(monthrange(int(year), int(month))[1]))
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError(f"{text!r} is no day of the calendar") from error


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def starts(first: int, last: int, given: tuple[int, int] | None, option: str) -> list[int]:
    """Return T of every whole week that lies in the period given and whose outcome lies in the data (micros).

    ``first`` and ``last`` are the times of the first and the last activity. Without a period: the last 52 weeks, but at
    most half of the data, since scorers need a past. Raises Stop when there is no such week.
    """
    known = last + 1 - FOUND_WITHIN
    if given is None:
        found = list(mondays(first + int(_SHARE_TO_LEARN * (last - first)), known))[-YEAR_OF_WEEKS:]
    else:
        found = list(mondays(max(given[0], first), min(given[1], known)))
    if found:
        return found
    span = f"{said(first)} to {said(last)}"
    raise Stop(
        f"no whole week can be judged{f' within --{option}' if given else ''}: the data reach from {span}, and of a "
        "week from Monday to Monday (UTC) the 14 days after it have to be known, too"
    )


def said(time: int) -> str:
    """Return the day of a time in micros."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)).date().isoformat()


def check_apart(train: list[int], test: list[int]) -> None:
    """Raise Stop unless every outcome of the training weeks was known before the first week of the test."""
    known = train[-1] + WEEK + FOUND_WITHIN
    if known > test[0]:
        raise Stop(
            f"--train reaches to {said(train[-1] + WEEK)}, and what came of its last week is known on {said(known)}; "
            f"the test begins on {said(test[0])}: train on an earlier period, or it would learn what it is asked"
        )
