"""Sets of subscriptions: several feeds and filters that one connection reads, kept under a name, changed at any time.

A set lies in Kafka, so any gateway process can change it, and the one that holds the connection hears of it.
"""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from multidict import MultiDict

from services.gateway import filters as asked
from services.gateway.filters import Filters
from services.gateway.follows import Mine
from services.gateway.remembered import Remembered, Value
from services.gateway.stream.selection import FEEDS as OWN
from services.gateway.stream.selection import Feed, Question, Selection

HUBS = ("all", "for-you")
"""Feeds that lie behind all others: those of somebody's own are parts of all."""
FEEDS = ("all", *OWN, "for-you")
MOST = 20
"""Subscriptions of a set."""
LONGEST_NAME = 64
PREFIX = "streams/"

Subscriptions = Mapping[str, str]
"""By name, each as the query string of a stream: ``feed=all&container=...``."""


def checked(subscriptions: Subscriptions) -> Subscriptions:
    """Return the subscriptions; raises Problem that names the wrong one."""
    if len(subscriptions) > MOST:
        raise asked.wrong("subscriptions", f"at most {MOST} are expected, {len(subscriptions)} were given")
    for name, query in subscriptions.items():
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise asked.wrong("subscriptions", f"a name of 1 to {LONGEST_NAME} printable characters is expected")
        _read(query)
    return subscriptions


def selections(subscriptions: Subscriptions, mine: Callable[[], Mine]) -> dict[str, Selection]:
    """Return what is asked of each feed; ``mine`` is asked what the reader follows."""
    by_feed: dict[str, dict[str, list[Question]]] = {feed: {} for feed in HUBS}
    for name, query in subscriptions.items():
        feed, filters = _read(query)
        if own := own_feed(feed):
            by_feed["all"][name] = [one for found in mine().asked(own, filters).values() for one in found]
        else:
            by_feed[feed][name] = [Question(filters)]
    return {feed: Selection.of(named) for feed, named in by_feed.items()}


def follows(subscriptions: Subscriptions) -> bool:
    """Return whether what is asked changes with what the reader follows, and with their rules."""
    return any(own_feed(_read(query)[0]) for query in subscriptions.values())


def of(remembered: Remembered, person: str, name: str) -> Subscriptions | None:
    """Return a person's set, None where there is none of that name."""
    return subscriptions_of(remembered.get(person, PREFIX + name))


def subscriptions_of(value: Value | None) -> Subscriptions | None:
    """Return the subscriptions in what is remembered."""
    return None if value is None else {str(name): str(query) for name, query in value["subscriptions"].items()}


def feed_of(given: str) -> str:
    """Return the feed that is asked for; raises Problem for one that there is not."""
    if given not in FEEDS:
        raise asked.wrong("feed", f"{' or '.join(FEEDS)} is expected")
    return given


def own_feed(feed: str) -> Feed | None:
    """Return a feed that is somebody's own; None for the others."""
    return next((one for one in OWN if one == feed), None)


def _read(query: str) -> tuple[str, Filters]:
    pairs = MultiDict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=200))
    asked.only(pairs, *asked.FIELDS, "since", "until", "q", "feed")
    return feed_of(asked.one(pairs, "feed") or "all"), asked.read(pairs)
