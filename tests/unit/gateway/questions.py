"""What is asked of every address, and what of an answer is compared. A new address needs an entry here."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from services.gateway.app import build
from services.gateway.stream.hub import Hub
from services.gateway.stream.position import Position
from tests.unit.gateway.organisation import PEOPLE, PLACES, SHARED, THREADS, UNIT, Organisation
from tests.unit.gateway.world import HALL, World


@dataclass(frozen=True)
class Question:
    """One request. ``stream`` ones are read from the beginning of the log to the last message."""

    path: str
    method: str = "GET"
    body: Any = None
    stream: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Asking = Callable[[Organisation], Iterable[Question]]


def _paths(*paths: str) -> Asking:
    return lambda _: [Question(path) for path in paths]


def _each(start: str, ids: Callable[[Organisation], Iterable[str]]) -> Asking:
    return lambda o: [Question(start + quote(one, safe="")) for one in ids(o)]


def _activities(o: Organisation) -> list[str]:
    return [*(one.enriched().activity.id for one in o.deeds), "chat:absent#chat.message"]


def _objects(o: Organisation) -> list[str]:
    return sorted({one.object for one in o.deeds} | {"chat:absent"})


def _people(_: Organisation) -> list[str]:
    return [*PEOPLE, "dan", "nobody"]


def _words(o: Organisation) -> list[str]:
    return [*SHARED, *(f"only{one.number}" for one in o.deeds)]


def _filtered(start: str) -> Asking:
    """Ask for each value of each filter that could count something."""
    given = [("container", one) for one in (*PLACES, *THREADS)] + [("person", one) for one in PEOPLE]
    given += [
        ("thread", THREADS[0]),
        ("actor", f"chat:{PEOPLE[0]}"),
        ("tag", SHARED[0]),
        ("q", SHARED[0]),
        ("until", "2026-03-01T12:03:00Z"),
    ]
    return lambda _: [Question(start), *(Question(f"{start}?{n}={quote(v)}") for n, v in given)]


def _searches(o: Organisation) -> list[Question]:
    modes = [f"&mode={mode}" for mode in ("lexical", "semantic")]
    found = [f"/v1/search?q={word}" for word in _words(o)] + [f"/v1/search?q={SHARED[0]}{m}" for m in modes]
    return [Question(path) for path in [*found, f"/v1/search?q={SHARED[1]}&limit=1"]]


def _streams(_: Organisation) -> list[Question]:
    lines = {"Accept": "application/x-ndjson"}
    here = f"container={quote(PLACES[0])}&container={quote(HALL)}"
    return [
        Question("/v1/stream", stream="all", headers=lines),
        Question("/v1/stream", stream="all"),
        Question(f"/v1/stream?{here}", stream="all", headers=lines),
        Question("/v1/stream?set=page", stream="all", headers=lines),
        Question("/v1/stream?since=2026-01-01", stream="all", headers=lines),
        Question("/v1/stream?feed=for-you", stream="for-you", headers=lines),
        Question("/v1/stream?feed=mentions", stream="all", headers=lines),
    ]


def _feedback(o: Organisation) -> list[Question]:
    return [Question("/v1/feedback", "POST", {"subject": one, "kind": "seen"}) for one in _objects(o)]


def _put_set(_: Organisation) -> list[Question]:
    asked = {"here": f"container={quote(PLACES[0])}&container={quote(HALL)}", "all": "", "mine": "feed=for-you"}
    asked["followed"] = "feed=following"
    return [Question("/v1/me/streams/page", "PUT", {"subscriptions": asked})]


def _refs(_: Organisation) -> list[str]:
    return [*PEOPLE, *PLACES, SHARED[0], "search:mine", "nobody"]


def _paths_saved(_: Organisation) -> list[Question]:
    """A search that all of it answers, kept and followed; the feed is asked for behind it."""
    kept = Question("/v1/me/searches/mine", "PUT", {"query": f"q={SHARED[1]}"})
    return [kept, Question("/v1/me/follows/search:mine", "PUT"), Question("/v1/me/following")]


def _said(o: Organisation) -> list[Question]:
    """Speak about each thing, twice with one key: the second answer must not tell more than the first."""
    key = {"Idempotency-Key": "k"}
    about = [Question("/v1/notes", "POST", {"content": "x", "about": one}, headers=key) for one in _objects(o)]
    return [*about, *about[:2], Question("/v1/notes", "POST", {"content": "@ann @bob", "group": PLACES[0]})]


def _changed(method: str, end: str = "") -> Asking:
    body = {"content": "x"}
    return lambda o: [
        Question(f"/v1/notes/{quote(one, safe='')}{end}", method, body, headers={"Idempotency-Key": one})
        for one in _objects(o)
    ]


def _ruled(_: Organisation) -> list[Question]:
    """Rules that look at everything, switched on, and what they make of the feeds."""
    rules = {"all": "if anything then notify and mark seen", "some": f"if says {SHARED[0]} or from bob then mute"}
    kept = [Question(f"/v1/me/rules/{name}", "PUT", {"rule": rule, "on": True}) for name, rule in rules.items()]
    live = Question("/v1/stream?feed=notifications", stream="all", headers={"Accept": "application/x-ndjson"})
    return [*kept, Question("/v1/me/notifications"), Question("/v1/me/following"), live]


def _topics(start: str) -> Asking:
    """Ask for the topics of everything, of each place and of the unit that all are in."""
    places = [f"{start}?container={quote(one)}" for one in (*PLACES, "none")]
    return _paths(start, *places, f"{start}?unit={UNIT}", f"{start}?unit=none")


def _pictures(start: str) -> Asking:
    """Ask for the picture of each word and of nothing, and of the first as it was."""
    was = quote(SHARED[0]) + "?until=2026-03-01T12:03:00Z"
    return lambda o: [*_each(start, lambda o: [*_words(o), "absent"])(o), Question(start + was)]


def _grouped(end: str, body: Any = None) -> Asking:
    return lambda _: [Question(f"/v1/groups/{quote(one, safe='')}/{end}", "POST", body) for one in (*PLACES, "none")]


QUESTIONS: Mapping[str, Asking] = {
    "PUT /v1/me/streams/{name}": _put_set,
    "GET /v1/me/streams": _paths("/v1/me/streams"),
    "GET /v1/me/streams/{name}": _paths("/v1/me/streams/page"),
    "GET /v1/feed.atom": _filtered("/v1/feed.atom"),
    "GET /v1/feed.json": lambda _: [
        Question(f"/v1/feed.json?{one}") for one in ("", "limit=2", f"q={SHARED[0]}", "feed=for-you", "feed=mentions")
    ],
    "GET /v1/activities": lambda o: [*_filtered("/v1/activities")(o), Question("/v1/activities?view=collection")],
    "GET /v1/activities/{id}": _each("/v1/activities/", _activities),
    "GET /v1/objects/{id}": _each("/v1/objects/", _objects),
    "GET /v1/search": _searches,
    "GET /v1/people": _each("/v1/people?q=", _words),
    "GET /v1/people/{id}": _each("/v1/people/", _people),
    "GET /v1/me": _paths("/v1/me"),
    "GET /v1/me/for-you": _paths("/v1/me/for-you", "/v1/me/for-you?surprise=1&limit=2"),
    "GET /v1/me/people": _paths("/v1/me/people"),
    "GET /v1/trends": _paths("/v1/trends", "/v1/trends?kind=rise"),
    "GET /v1/topics": _topics("/v1/topics"),
    "GET /v1/topics/{topic}": _pictures("/v1/topics/"),
    "POST /v1/feedback": _feedback,
    "POST /v1/notes": _said,
    "POST /v1/notes/{id}/replies": _changed("POST", "/replies"),
    "PUT /v1/notes/{id}": _changed("PUT"),
    "DELETE /v1/notes/{id}": _changed("DELETE"),
    "GET /v1/groups": _paths("/v1/groups"),
    "POST /v1/groups": lambda _: [Question("/v1/groups", "POST", {"name": ""})],
    "GET /v1/groups/{id}": _each("/v1/groups/", lambda _: [*PLACES, "none"]),
    "POST /v1/groups/{id}/join": _grouped("join"),
    "POST /v1/groups/{id}/leave": _grouped("leave"),
    "POST /v1/groups/{id}/members": _grouped("members", {"members": ["bob"]}),
    "PUT /v1/me/rules/{name}": _ruled,
    "POST /v1/me/rules/dry-run": lambda o: [
        Question("/v1/me/rules/dry-run", "POST", {"rule": f"if {one} then notify"})
        for one in ("anything", *(f"says {word}" for word in _words(o)), *(f"not in {one}" for one in PLACES))
    ],
    "GET /v1/me/rules": _paths("/v1/me/rules"),
    "GET /v1/me/notifications": _paths("/v1/me/notifications"),
    "PUT /v1/me/notifications/read": lambda _: [
        Question("/v1/me/notifications/read", "PUT", {"until": "2026-03-01T12:02:00Z"}),
        Question("/v1/me/notifications"),
    ],
    "DELETE /v1/me/rules/{name}": lambda _: [Question("/v1/me/rules/all", "DELETE")],
    "GET /v1/me/mentions": _paths("/v1/me/mentions"),
    "PUT /v1/me/mentions/read": lambda _: [
        Question("/v1/me/mentions/read", "PUT", {"until": "2026-03-01T12:02:00Z"}),
        Question("/v1/me/mentions"),
    ],
    "PUT /v1/me/follows/{ref}": lambda o: [Question(f"/v1/me/follows/{quote(one)}", "PUT") for one in _refs(o)],
    "PUT /v1/me/searches/{name}": _paths_saved,
    "GET /v1/me/follows": _paths("/v1/me/follows"),
    "GET /v1/me/searches": _paths("/v1/me/searches"),
    "GET /v1/me/following": _paths("/v1/me/following", "/v1/me/following?limit=1"),
    "PUT /v1/me/following/read": lambda _: [
        Question("/v1/me/following/read", "PUT", {"until": "2026-03-01T12:02:00Z"}),
        Question("/v1/me/following"),
    ],
    "DELETE /v1/me/follows/{ref}": lambda o: [Question("/v1/me/follows/bob", "DELETE"), Question("/v1/me/following")],
    "DELETE /v1/me/searches/{name}": lambda _: [
        Question("/v1/me/searches/mine", "DELETE"),
        Question("/v1/me/following"),
    ],
    "GET /v1/stream": _streams,
    "GET /": _filtered("/"),
    "GET /for-you": _paths("/for-you"),
    "GET /following": _paths("/following"),
    "GET /groups": _paths("/groups"),
    "GET /groups/{id}": _each("/groups/", lambda _: [*PLACES, "none"]),
    "GET /rules": lambda o: [Question(f"/rules?name=x&rule=if+says+{word}+then+notify") for word in _words(o)],
    "GET /settings": lambda o: [
        *(Question("/v1/feedback", "POST", {"subject": one, "kind": "mute"}) for one in (*PLACES, *_objects(o))),
        Question("/settings"),
    ],
    "GET /mentions": _paths("/mentions"),
    "GET /notifications": _paths("/notifications"),
    "GET /topics": _topics("/topics"),
    "GET /topics/{topic}": _pictures("/topics/"),
    "GET /search": _each("/search?q=", _words),
    "GET /people": lambda o: [Question("/people"), *_each("/people?q=", _words)(o)],
    "GET /people/{id}": _each("/people/", _people),
    "GET /objects/{id}": _each("/objects/", _objects),
}
"""What is asked of each address, by method and path as the application has it."""

SAYS_NOTHING = frozenset(
    {
        "GET /v1/me/tokens",  # of the asker alone, as they made them
        "POST /v1/me/tokens",
        "DELETE /v1/me/tokens/{id}",
        "GET /v1/tokens",  # for administrators
        "DELETE /v1/tokens/{id}",
        "GET /login",
        "GET /login/callback",
        "POST /logout",
        "POST /view-as",  # demo mode: sets a cookie and goes to /
        "POST /say",  # stores a note as POST /v1/notes does, and goes to where it stands
        "POST /notes/edit",  # likewise, as PUT and DELETE of /v1/notes/{id} do
        "POST /notes/delete",
        "POST /follow",  # stores an act, as PUT and DELETE of /v1/me/follows/{ref} do
        "POST /searches",
        "POST /read",
        "POST /rules",  # as under /v1/me/rules
        "POST /rules/remove",
        "POST /rules/secret",
        "POST /settings/digest",
        "POST /groups",  # as under /v1/groups
        "POST /groups/part",
        "GET /v1/me/settings",  # of the asker alone, as they set them
        "PUT /v1/me/settings",
        "POST /settings",
        "POST /settings/unmute",
        "POST /settings/tokens",
        "POST /settings/tokens/revoke",
        "POST /for-you/feedback",  # stores an act, and goes to /for-you
        "POST /people/feedback",  # stores an act, and goes to /people
        "GET /static/{name}",
        "GET /docs",
        "GET /openapi.json",
        "GET /openapi-3.2.json",
        "GET /v1/me/digest",  # the asker's own choice
        "PUT /v1/me/digest",
        "GET /v1/digest/stop",
        "POST /v1/digest/stop",
        "POST /v1/me/rules/{name}/secret",  # of the asker's own rule
        "POST /v1/stream-token",  # opens a stream as the asker, and streams are asked
        "DELETE /v1/me/streams/{name}",  # the asker's own
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",  # for operators: counts of requests and records, by service and address
        *(
            f"GET /registry{path}"  # schemas, which are public
            for path in (
                "/subjects",
                "/subjects/{subject}/versions",
                "/subjects/{subject}/versions/{version}",
                "/subjects/{subject}/versions/{version}/schema",
                "/schemas/ids/{id}",
                "/schemas/ids/{id}/schema",
                "/schemas/ids/{id}/versions",
                "/schemas/types",
                "/config",
                "/config/{subject}",
            )
        ),
    }
)
"""Addresses that answer without looking at anything people did."""


def addresses(w: World) -> set[str]:
    """Return all that the application answers to."""
    found = {(route.method, route.resource) for route in build(w.parts).router.routes()}
    return {f"{method} {resource.canonical}" for method, resource in found if resource and method != "HEAD"}


async def answers(w: World, o: Organisation, person: str) -> dict[str, Any]:
    """Ask everything as a person; return what was answered by question, without what may differ."""
    found: dict[str, Any] = {}
    for asking in QUESTIONS.values():
        for one in asking(o):
            name = f"{one.method} {one.path} {one.headers.get('Accept', '')} {one.body or ''}"
            found[name] = await (_read(w, one, person) if one.stream else _ask(w, one, person))
    return found


async def _ask(w: World, question: Question, person: str) -> list[Any]:
    """Return the answer's status and text, and those of the pages behind it."""
    found = []
    path = question.path
    while path:
        url = path + ("&" if "?" in path else "?") + f"as={person}"
        async with w.client.request(question.method, url, json=question.body, headers=question.headers) as answer:
            text = (await answer.text()).replace(str(w.client.make_url("")), "")
            found.append((answer.status, *_comparable(text, answer.content_type)))
            path = _next(text, answer.content_type).removesuffix(f"&as={person}")
    return found


def _next(text: str, kind: str) -> str:
    if kind.endswith("json"):
        said = json.loads(text)
        return str(said.get("next", "")).replace("as=ann&", "").replace("as=bob&", "").replace("as=cat&", "")
    return ""


_POSITION = re.compile(r"(?:last_event_id|live)=[\w%.~-]+")
_CLOCK = re.compile(r'name="until" value="[^"]*"')
_SWITCH = re.compile(r'<form class="as".*?</form>', re.DOTALL)


def _comparable(text: str, kind: str) -> list[Any]:
    """Return an answer without positions in the log (opaque; they count records), its time, and demo mode's switch."""
    text = _CLOCK.sub("", _POSITION.sub("", text))
    return [json.loads(text)] if kind.endswith("json") else [_SWITCH.sub("", text)]


async def _read(w: World, question: Question, person: str) -> list[str]:
    """Return what a stream gives from the beginning of the log to the last message, sorted: partitions take turns."""
    hub: Hub = w.parts.hub if question.stream == "all" else w.parts.for_you_hub
    start = Position(hub.mark, tuple(0 for _ in hub.ring.position)).text()
    url = question.path + ("&" if "?" in question.path else "?") + f"as={person}"
    found: list[str] = []
    async with w.client.get(url, headers={**question.headers, "Last-Event-ID": start}) as answer:
        assert answer.status == 200, await answer.text()
        async with asyncio.timeout(10):
            async for line in answer.content:
                found += _event(line.decode())
                if found and f"{HALL}/0" in found[-1]:
                    break
    return sorted(found)


def _event(line: str) -> list[str]:
    """Return what a line of either form says, without the position."""
    if line.startswith("data: "):
        return [line.removeprefix("data: ")]
    if line.startswith("{"):
        said = json.loads(line)
        said.pop("cursor", None)
        return [json.dumps(said, sort_keys=True)] if said else []
    return []
