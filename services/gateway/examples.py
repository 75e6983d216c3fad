"""Examples for the page about the API. A test runs every one of them, as they are shown, against a gateway."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Example:
    """What a command does, and the command. In braces stands what a gateway fills in."""

    what: str
    command: str


_JSON = "-H 'Content-Type: application/json'"

EXAMPLES = (
    Example("The newest activities", "curl '{origin}/v1/activities?limit=5'"),
    Example("What a person did in one place", "curl '{origin}/v1/activities?person={person}&container={place}'"),
    Example("The collection, without its items", "curl '{origin}/v1/activities?view=collection'"),
    Example("One object, with its history and conversation", "curl '{origin}/v1/objects/{thing}'"),
    Example("Search, by words and by meaning", "curl '{origin}/v1/search?q=release+notes'"),
    Example("Who knows about it", "curl '{origin}/v1/people?q=release+notes'"),
    Example("What I would not have looked for", "curl '{origin}/v1/me/for-you?surprise=0.8&as={person}'"),
    Example("A feed for a feed reader", "curl '{origin}/v1/feed.atom?q=release'"),
    Example("Live, as server-sent events", "curl -N '{origin}/v1/stream'"),
    Example(
        "Of today and then live, as JSON lines",
        """curl -N -H 'Accept: application/x-ndjson' "{origin}/v1/stream?since=$(date -u +%F)\"""",
    ),
    Example("All that is kept, and then live", "curl -N '{origin}/v1/stream?last_event_id=earliest'"),
    Example(
        "Several feeds on one connection, to be changed while it is open",
        "curl -X PUT " + _JSON + " '{origin}/v1/me/streams/page?as={person}' \\\n"
        """  -d '{"subscriptions": {"incidents": "tag=incident", "mine": "feed=for-you"}}'\n"""
        "curl -N '{origin}/v1/stream?set=page&as={person}'",
    ),
    Example(
        "A token that opens one stream, once, for a browser's EventSource",
        "curl -X POST " + _JSON + """ '{origin}/v1/stream-token?as={person}' -d '{"query": "tag=incident"}'""",
    ),
    Example(
        "Say what was useful",
        "curl -X POST "
        + _JSON
        + """ '{origin}/v1/feedback?as={person}' -d '{"subject": "{subject}", "kind": "useful"}'""",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Who and what the examples are about: ids of a person, a place and a thing that are there."""

    person: str = "ann"
    place: str = "rust-lang/cargo"
    thing: str = "chat:1"


def commands(origin: str, names: Names = Names(), *, token: bool = False) -> list[Example]:
    """Return the examples for a gateway; with ``token``, one where programs say by a token who they are."""
    return [Example(one.what, _filled(one.command, origin, names, token=token)) for one in EXAMPLES]


def _filled(command: str, origin: str, names: Names, *, token: bool) -> str:
    if token:
        command = command.replace("curl ", 'curl -H "Authorization: Bearer $TOKEN" ')
        command = command.replace("?as={person}", "").replace("&as={person}", "")
    filled = {
        "{origin}": origin,
        "{person}": quote(names.person, safe=":"),
        "{place}": quote(names.place, safe=":/"),
        "{thing}": quote(names.thing, safe=""),
        "{subject}": names.thing.translate({ord(c): f"\\u{ord(c):04x}" for c in "'\"\\"}),
    }
    for name, value in filled.items():
        command = command.replace(name, value)
    return command
