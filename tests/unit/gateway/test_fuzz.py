"""Anything at all, sent from outside: every answer is one of ours, in time, and none is a mistake of ours."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote
from zlib import compress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.openapi import template
from services.gateway.routes import ROUTES
from services.gateway.stream.position import packed
from services.gateway.web.site import POSTS
from tests.unit.gateway.served import LONG, OTHERS_DRAW, get, served, status

pytestmark = pytest.mark.filterwarnings(OTHERS_DRAW)
READS = [template(route.path) for route in ROUTES if route.method == "GET" and not route.streams]
WITH_IDS = [path for path in READS if "{" in path] + ["/people/{id}", "/static/{id}"]
PAGED = ["/v1/activities", "/v1/search", "/v1/people/ann", "/v1/feed.json", "/v1/me/following", "/"]
FILTERED = ["/v1/activities", "/v1/search", "/v1/feed.atom", "/", "/search"]
NASTY = (
    "\0",
    "\r\nSet-Cookie: evil=1",
    "../../etc/passwd",
    "..%2f",
    "%00",
    "' OR 1=1 --",
    "*",
    "?*",
    "/.*/",
    "a:b",
    "\\",
    '{"match_all":{}}',
    "_exists_:id",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202e",
    "\ufeff",
    "ﷺ" * 50,
    "(" * 200,
    '"' * 99,
    "~" * 99,
    "9" * 400,
    "NaN",
    "-1",
    "1e400",
    "0x10",
    "０",
    "١",
    "\U000e0001",
    "\ud7ff",
    "ß" * 300,
)
TEXT = st.text(max_size=60) | st.sampled_from(NASTY)
NUMBERS = st.integers() | st.floats() | st.integers(min_value=2**62, max_value=2**200)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
BYTES = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
ANY = settings(deadline=None, derandomize=not LONG, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as one:
        yield one


def checked(answer: bytes) -> None:
    """Fail where the answer is a mistake of ours, tells of our inside, or holds a header that somebody else wrote."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer, "there is an answer"
    assert status(answer) < 500, answer[:1000]
    assert b"evil=1" not in re.sub(rb"(?i)\r\n(location|link):[^\r]*", b"", head)
    for inside in (b"Traceback", b"services.", b"site-packages"):
        assert inside not in body
    if status(answer) >= 400 and b"application/problem+json" in head:
        assert set(json.loads(body)) >= {"type", "title", "status", "detail"}


@ANY
@given(path=st.sampled_from(WITH_IDS), id_=TEXT.filter(bool))
def test_any_id_is_answered(port: int, path: str, id_: str) -> None:
    target = re.sub(r"\{\w+\}", quote(id_, safe="").replace("\\", "%5C"), path)
    checked(get(port, f"{target}?as=ann"))


@ANY
@given(
    path=st.sampled_from(FILTERED),
    query=st.dictionaries(
        st.sampled_from(
            (
                "source",
                "type",
                "verb",
                "person",
                "container",
                "tag",
                "since",
                "until",
                "q",
                "limit",
                "mode",
                "as",
                "colour",
            )
        ),
        TEXT,
        max_size=4,
    ),
)
def test_any_filter_is_answered(port: int, path: str, query: dict[str, str]) -> None:
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    checked(get(port, f"{path}?{asked}"))


def sealed(value: object) -> str:
    """Return a cursor as ours are made, of anything."""
    return urlsafe_b64encode(compress(json.dumps(value).encode())).rstrip(b"=").decode()


CURSORS = (
    TEXT
    | st.binary(max_size=80).map(lambda raw: urlsafe_b64encode(raw).decode())
    | st.lists(LEAVES, max_size=6).map(sealed)
    | st.tuples(st.just("t"), NUMBERS, TEXT, st.sampled_from((0, 1, 2, -1, True))).map(sealed)
    | st.lists(TEXT, max_size=30).flatmap(
        lambda ids: st.tuples(NUMBERS, NUMBERS).map(lambda n: sealed(["r", *n, *ids]))
    )
    | st.just(sealed(["t", 1, "x" * 70_000, 0]))
    | st.just(sealed("[" * 5_000))
)
"""Damaged ones, made-up ones, and ones that are whole and say what no page of ours would."""


@ANY
@given(path=st.sampled_from(PAGED), cursor=CURSORS)
def test_any_cursor_is_answered(port: int, path: str, cursor: str) -> None:
    words = "&q=heron" if path.endswith("search") else ""
    checked(get(port, f"{path}?as=ann&cursor={quote(cursor, safe='')}{words}"))


POSITIONS = (
    TEXT
    | st.builds(packed, st.binary(min_size=4, max_size=4), st.lists(st.integers(0, 2**69), max_size=20))
    | st.lists(st.builds(packed, st.binary(min_size=4, max_size=4), st.just([1])), max_size=40).map("~".join)
    | st.binary(max_size=80).map(lambda raw: urlsafe_b64encode(raw).decode())
)


@ANY
@given(place=POSITIONS)
def test_any_place_on_a_stream_is_answered(port: int, place: str) -> None:
    checked(get(port, f"/v1/activities?as=ann&live={quote(place, safe='')}"))
    checked(get(port, f"/v1/stream?as=ann&last_event_id={quote(place, safe='')}", limit=1))
    if place.isprintable():
        checked(get(port, "/v1/stream?as=ann", b"Last-Event-ID: " + place.encode(), limit=1))


@ANY
@given(
    name=st.sampled_from(
        (
            b"Last-Event-ID",
            b"If-None-Match",
            b"Accept",
            b"Cookie",
            b"X-Watercooler-As",
            b"Origin",
            b"Authorization",
            b"Idempotency-Key",
            b"Range",
            b"Expect",
            b"Sec-Purpose",
        )
    ),
    value=BYTES,
)
def test_any_header_is_answered(port: int, name: bytes, value: bytes) -> None:
    checked(get(port, "/v1/activities", name + b": " + value))
    checked(get(port, "/search?q=heron", name + b": " + value))


WRITES = [(route.method, template(route.path)) for route in ROUTES if route.method != "GET"]
FORMS = [("POST", path) for path in ("/view-as", *POSTS)]
KINDS = st.sampled_from(
    (
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/x-www-form-urlencoded; charset=evil",
        b"text/plain",
        b"",
        b"\xff",
    )
)
JSONS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))
BODIES = (
    st.binary(max_size=200)
    | JSONS.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from(
            ("content", "name", "rule", "on", "query", "subscriptions", "label", "subject", "kind", "until")
        ),
        JSONS,
        max_size=4,
    ).map(lambda value: json.dumps(value).encode())
)


@ANY
@given(to=st.sampled_from(WRITES + FORMS), kind=KINDS, body=BODIES)
def test_any_body_is_answered(port: int, to: tuple[str, str], kind: bytes, body: bytes) -> None:
    target = re.sub(r"\{\w+\}", "heron", to[1])
    checked(get(port, f"{target}?as=ann", b"Content-Type: " + kind, method=to[0], body=body))
