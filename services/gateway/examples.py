"""Examples for the page about the API. A test runs every one of them, as they are shown, against a gateway."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """What a command does, and the command. ``{origin}`` is this gateway; ``$ID`` an id from an answer before."""

    what: str
    command: str


_JSON = "-H 'Content-Type: application/json'"

EXAMPLES = (
    Example("The newest activities", "curl '{origin}/v1/activities?limit=5'"),
    Example("What a person did in one place", "curl '{origin}/v1/activities?person=ann&container=rust-lang/cargo'"),
    Example("The collection, without its items", "curl '{origin}/v1/activities?view=collection'"),
    Example("One object, with its history and conversation", 'curl "{origin}/v1/objects/$ID"'),
    Example("Search, by words and by meaning", "curl '{origin}/v1/search?q=release+notes'"),
    Example("Who knows about it", "curl '{origin}/v1/people?q=release+notes'"),
    Example("What I would not have looked for", "curl '{origin}/v1/me/for-you?surprise=0.8&as=ann'"),
    Example("A feed for a feed reader", "curl '{origin}/v1/feed.atom?q=release'"),
    Example("Live, as server-sent events", "curl -N '{origin}/v1/stream'"),
    Example(
        "Live since a day, as JSON lines",
        "curl -N -H 'Accept: application/x-ndjson' '{origin}/v1/stream?since=2026-11-25'",
    ),
    Example("All that is kept, and then live", "curl -N '{origin}/v1/stream?last_event_id=earliest'"),
    Example(
        "Several feeds on one connection, to be changed while it is open",
        "curl -X PUT " + _JSON + " '{origin}/v1/me/streams/page?as=ann' \\\n"
        """  -d '{"subscriptions": {"incidents": "tag=incident", "mine": "feed=for-you"}}'\n"""
        "curl -N '{origin}/v1/stream?set=page&as=ann'",
    ),
    Example(
        "A token that opens one stream, once, for a browser's EventSource",
        "curl -X POST " + _JSON + """ '{origin}/v1/stream-token?as=ann' -d '{"query": "tag=incident"}'""",
    ),
    Example(
        "Say what was useful",
        "curl -X POST " + _JSON + """ '{origin}/v1/feedback?as=ann' -d '{"subject": "chat:1", "kind": "useful"}'""",
    ),
)


def commands(origin: str) -> list[Example]:
    """Return the examples for a gateway."""
    return [Example(one.what, one.command.replace("{origin}", origin)) for one in EXAMPLES]
