"""The activity and what is said around it: small frozen values, standard library only.

The fields are those of ``schemas/*/v1.avsc``, where each is explained. Times are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

EPOCH = datetime.fromtimestamp(0, UTC)
EVERY_VERSION = "*"
"""In ``withdraws``: every version of the object up to this activity."""
REDACTED_GENERATION = 1_000_000
"""Generations from here on are of activities published again without what their source has withdrawn."""


class ActivityType(StrEnum):
    """ActivityStreams 2.0 activity types (W3C Activity Vocabulary, section 3)."""

    UNKNOWN = "Unknown"
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    MOVE = "Move"
    ADD = "Add"
    REMOVE = "Remove"
    ANNOUNCE = "Announce"
    LIKE = "Like"
    UNDO = "Undo"
    OFFER = "Offer"
    ACCEPT = "Accept"
    REJECT = "Reject"
    TENTATIVE_REJECT = "TentativeReject"
    JOIN = "Join"
    LEAVE = "Leave"
    FOLLOW = "Follow"
    FLAG = "Flag"


class AccountType(StrEnum):
    """ActivityStreams actor types in lower case; bots are services."""

    UNKNOWN = "unknown"
    PERSON = "person"
    GROUP = "group"
    ORGANISATION = "organisation"
    SERVICE = "service"
    APPLICATION = "application"


class Visibility(StrEnum):
    """Who may open something in general. UNKNOWN means nobody."""

    UNKNOWN = "UNKNOWN"
    PUBLIC = "PUBLIC"
    RESTRICTED = "RESTRICTED"
    DIRECT = "DIRECT"


class Method(StrEnum):
    """How an activity came in."""

    UNKNOWN = "UNKNOWN"
    WEBHOOK = "WEBHOOK"
    STREAM = "STREAM"
    POLL = "POLL"
    BACKFILL = "BACKFILL"
    RECONCILE = "RECONCILE"
    IMPORT = "IMPORT"


class AccessKind(StrEnum):
    """What an access record is about."""

    UNKNOWN = "UNKNOWN"
    CONTAINER = "CONTAINER"
    OBJECT = "OBJECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A source account. The person behind it is joined later, so that a wrong merge can be undone."""

    id: str
    type: AccountType = AccountType.PERSON
    name: str = ""
    handle: str = ""
    address_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """What an activity is about. ``order`` is its state's place on the connector's one scale (0: use ``published``)."""

    id: str
    type: str
    url: str = ""
    title: str = ""
    version: str = ""
    previous_version: str = ""
    order: int = 0
    in_reply_to: str = ""
    attributed_to: str = ""
    content: str = ""
    media_type: str = "text/plain"
    language: str = ""
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A place: site, space, repository, channel or thread."""

    id: str
    type: str
    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link in a body; ``object`` is set where it leads to a connected source."""

    href: str
    object: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """What the source said about who may open it. It grants nothing: the container's access record decides."""

    visibility: Visibility = Visibility.UNKNOWN
    container: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How we know."""

    source: str
    connector: str = ""
    connector_version: str = ""
    method: Method = Method.UNKNOWN
    native_type: str = ""
    native_id: str = ""
    authenticated: bool = False
    mapping: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One act of one account on one object, ActivityStreams 2.0 in meaning."""

    id: str
    type: ActivityType
    verb: str
    published: datetime
    actor: Account
    object: Object
    provenance: Provenance
    recorded: datetime = EPOCH
    target: Container | None = None
    origin: Container | None = None
    context: tuple[Container, ...] = ()
    audience: Audience = Audience()
    tags: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    files: tuple[str, ...] = ()
    coauthors: tuple[str, ...] = ()
    withdraws: tuple[str, ...] = ()
    ext: Mapping[str, str] = field(default_factory=dict)

    @property
    def order(self) -> int:
        """Place of the object's state on its connector's scale; micros of ``published`` where it has no other."""
        return self.object.order or micros(self.published)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """An activity with what the enrichment added. ``vector`` is 256 little-endian half floats, or empty."""

    activity: Activity
    person: str = ""
    coauthor_people: tuple[str, ...] = ()
    mention_people: tuple[str, ...] = ()
    thread: str = ""
    text: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    vector: bytes = b""
    automated: bool = False
    burst: str = ""
    notes: tuple[str, ...] = ()
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may open a container or a restricted object, and which versions of an object the source has withdrawn."""

    id: str
    kind: AccessKind
    visibility: Visibility = Visibility.UNKNOWN
    principals: tuple[str, ...] = ()
    restricted: bool = False
    withdrawn: tuple[str, ...] = ()
    order: int = 0
    name: str = ""
    url: str = ""
    source: str = ""
    recorded: datetime = EPOCH


def micros(at: datetime) -> int:
    """Return ``at`` as microseconds since 1970, exactly (floats would lose the last digits)."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def activity_id(source: str, native_id: str, version: str, verb: str) -> str:
    """Return the deterministic, readable id of an activity: the same event seen by any way gets the same one.

    >>> activity_id("wiki", "page/7", "42", "wiki.edit")
    'wiki:page/7@42#wiki.edit'
    """
    at = f"@{version}" if version else ""
    return f"{source}:{native_id}{at}#{verb}"
