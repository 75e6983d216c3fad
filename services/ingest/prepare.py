"""Activities -> records ready to be sent, and lines -> such records. Pure, so that other processes can do it too."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.common.activitystreams import parse_line
from services.common.codec import Codec
from services.common.envelope import FINGERPRINT, Headers, fingerprint_of, headers
from services.common.errors import Reject
from services.common.lines import LONGEST_LINE
from services.common.model import Account, Activity
from services.common.records import activity_out

LONGEST_CONTENT = 200_000
"""Characters of a body that are carried; a topic takes 1 MiB a record. Longer ones are marked as truncated."""
_CODEC = Codec("activity")

Line = tuple[int, bytes]
"""A line with its number."""


@dataclass(frozen=True, slots=True)
class Record:
    """One activity, ready: its key, its Avro body, its headers, and the object that it is placed by."""

    key: str
    body: bytes
    headers: Headers
    place: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Activities in order. ``telling`` are those of them that access records are made of.

    ``accounts`` are those of people with a handle, which a file tells of by its activities alone.
    """

    records: Sequence[Record] = ()
    telling: Sequence[Activity] = ()
    accounts: Sequence[Account] = ()


@dataclass(slots=True)
class Lines:
    """What some lines held. ``wrong`` are those that are none, with the reason."""

    last: int
    size: int
    prepared: Prepared = field(default_factory=Prepared)
    wrong: list[tuple[Line, str]] = field(default_factory=list)


def prepare(activities: Sequence[Activity], at: datetime) -> Prepared:
    """Return activities ready to be sent, taken in at ``at``."""
    records: list[Record] = []
    telling: list[Activity] = []
    places: set[str] = set()
    for given in activities:
        activity = bounded(given)
        records.append(_record(activity, at))
        if activity.withdraws or activity.audience.container not in places:
            places.add(activity.audience.container)
            telling.append(activity)
    return Prepared(records, telling)


def prepare_lines(numbered: Sequence[Line], source: str, at: datetime) -> Lines:
    """Return what lines in the import form hold; empty ones are passed over."""
    found = Lines(last=numbered[-1][0], size=sum(len(line) for _, line in numbered))
    activities: list[Activity] = []
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            activities.append(_activity(line, source))
        except Reject as error:
            found.wrong.append(((number, line), f"line {number}: {error}"))
    called = {one.actor.id: one.actor for one in activities if one.actor.handle}
    found.prepared = replace(prepare(activities, at), accounts=tuple(called.values()))
    return found


def bounded(activity: Activity) -> Activity:
    """Return the activity with a body of at most LONGEST_CONTENT characters."""
    if len(activity.object.content) <= LONGEST_CONTENT:
        return activity
    short = replace(activity.object, content=activity.object.content[:LONGEST_CONTENT], truncated=True)
    return replace(activity, object=short)


def _record(activity: Activity, at: datetime) -> Record:
    plain = activity_out(activity)
    plain["recorded"] = at
    return Record(
        key=activity.id,
        body=_CODEC.body(plain),
        headers=(*headers(activity), (FINGERPRINT, fingerprint_of(plain).encode())),
        place=activity.object.id,
    )


def _activity(line: bytes, source: str) -> Activity:
    if len(line) > LONGEST_LINE:
        raise Reject(f"it is longer than the {LONGEST_LINE} bytes that a line may have")
    return parse_line(line, source=source)
