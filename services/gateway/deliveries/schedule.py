"""When digests go out, and what has been sent: state in ``setting.v1``, so that a restart neither loses nor repeats."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast, get_args

from services.common.clock import Clock, now
from services.gateway.remembered import Remembered

Every = Literal["day", "week", "never"]
_CHOICE = "digest"
_SENT = "digest-sent"
_STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a digest is of: all that was taken in at or after ``since`` and before ``until``."""

    since: datetime
    until: datetime


def boundary(every: Every, hour: int, at: datetime) -> datetime:
    """Return when the newest digest was due: today at the hour (UTC), for weeks on Monday; or the one before."""
    last = at.replace(hour=hour, minute=0, second=0, microsecond=0)
    if every == "week":
        last -= timedelta(days=last.weekday())
    return last if last <= at else last - _STEPS[every]


def windows(every: Every, hour: int, at: datetime, days: int) -> list[Window]:
    """Return the digests of the last days, the newest first."""
    if every == "never":
        return []
    last = boundary(every, hour, at)
    step = _STEPS[every]
    return [Window(since=last - step * (n + 1), until=last - step * n) for n in range(days // step.days)]


class Schedule:
    """What people chose, and how far they were sent digests. ``hour`` is when those are due, UTC."""

    def __init__(self, remembered: Remembered, hour: int, clock: Clock = now) -> None:
        self._remembered = remembered
        self.hour = hour
        self._clock = clock

    def every(self, person: str) -> Every:
        """Return what somebody chose; by day for those who chose nothing, since they wrote a rule that mails."""
        chosen = (self._remembered.get(person, _CHOICE) or {}).get("every", "day")
        return cast(Every, chosen) if chosen in get_args(Every) else "day"

    async def choose(self, person: str, every: Every) -> None:
        """Keep what somebody chose. Raises Unpublished."""
        await self._remembered.put(person, _CHOICE, {"every": every})

    def sent_until(self, person: str) -> datetime | None:
        """Return up to when somebody was sent what happened; None before the first time."""
        kept = self._remembered.get(person, _SENT)
        return datetime.fromisoformat(kept["until"]) if kept else None

    async def sent(self, person: str, until: datetime) -> None:
        """Take it that somebody was sent all up to a time. Raises Unpublished."""
        await self._remembered.put(person, _SENT, {"until": until.isoformat()})

    def due(self, person: str) -> Window | None:
        """Return what is to be sent now; None while nothing is, or somebody's first window has not begun."""
        every, since = self.every(person), self.sent_until(person)
        if every == "never" or since is None:
            return None
        until = boundary(every, self.hour, self._clock())
        return Window(since=since, until=until) if until > since else None
