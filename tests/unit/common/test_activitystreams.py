"""The JSON form: what is given can be imported again, and what is wrong with a line is said by its field."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.activitystreams import as_json, parse, parse_line
from services.common.errors import Reject
from services.common.model import EPOCH, Activity, Enriched, Link, Method, Visibility
from tests.unit.common.samples import FULL

FIRST, LAST = datetime(1, 1, 2), datetime(9998, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
SMALL: dict[str, Any] = {
    "id": "chat:42",
    "type": "Create",
    "verb": "chat.message",
    "published": "2026-01-31T09:30:00Z",
    "actor": {"id": "chat:alice"},
    "object": {"id": "chat:message/42", "type": "Note"},
    "provenance": {"source": "chat"},
}


def line(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in {**SMALL, **changes}.items() if value is not ...}).encode()


def as_given(activity: Activity) -> Activity:
    """An activity without what is not given: when it was taken in, hashes of addresses, how it was mapped."""
    return replace(
        activity,
        recorded=EPOCH,
        actor=replace(activity.actor, address_hash=""),
        provenance=replace(activity.provenance, connector_version="", mapping=0),
    )


def test_what_is_given_can_be_imported_again() -> None:
    given_ = orjson.dumps(as_json(Enriched(activity=FULL, person="p", text="plain", thread="t", automated=True)))
    assert parse_line(given_) == as_given(FULL)


@given(st.text(), st.text(max_size=50), st.datetimes(FIRST, LAST, timezones=st.just(UTC)))
def test_any_text_and_time_comes_back(content: str, tag: str, at: datetime) -> None:
    content = content.encode(errors="ignore").decode()
    tags = tuple(one for one in [tag.encode(errors="ignore").decode()] if one)
    one = replace(FULL, published=at, object=replace(FULL.object, content=content), tags=tags)
    assert parse(as_json(Enriched(activity=one))) == as_given(one)


def test_a_small_line_gets_the_defaults() -> None:
    one = parse_line(line())
    assert one.published == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert one.order == 1769851800_000000
    assert (one.audience.visibility, one.provenance.method) == (Visibility.UNKNOWN, Method.IMPORT)
    assert (one.object.media_type, one.actor.type) == ("text/plain", "person")


def test_the_innermost_place_that_is_no_thread_decides() -> None:
    context = [{"id": "s", "type": "Site"}, {"id": "c", "type": "Channel"}, {"id": "t", "type": "Thread"}]
    assert parse_line(line(context=context)).audience.container == "c"
    assert parse_line(line(context=context, audience={"container": "s"})).audience.container == "s"


def test_times_of_all_zones_become_utc_and_keep_their_microseconds() -> None:
    assert parse_line(line(published="2026-01-31T10:30:00.123456+01:00")).published.isoformat() == (
        "2026-01-31T09:30:00.123456+00:00"
    )


def test_the_source_of_the_command_stands_in_for_a_missing_one() -> None:
    assert parse_line(line(provenance=...), source="files").provenance.source == "files"
    assert parse_line(line(), source="files").provenance.source == "chat"


def test_links_keep_where_they_lead() -> None:
    links = [{"href": "https://x.example", "object": "x:1", "title": "X"}]
    assert parse_line(line(links=links)).links == (Link(href="https://x.example", object="x:1", title="X"),)


WRONG: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "a brace": (b"{", "not JSON"),
    "bytes that are no text": (b'{"id": "\xff"}', "not JSON"),
    "a list": (b"[]", "an activity is a JSON object, not a list"),
    "null": (b"null", "an activity is a JSON object, not null"),
    "no id": (line(id=...), "id is missing"),
    "an empty id": (line(id=""), "id is missing"),
    "a long id": (line(id="x" * 1001), "id has 1001 characters; 1000 are allowed"),
    "a numeric verb": (line(verb=7), "verb is a number, not text"),
    "an unknown type": (line(type="Make"), "type 'Make' is not one of Unknown, Create,"),
    "no time": (line(published=...), "published is missing"),
    "half a time": (line(published="2023-13-01"), "published '2023-13-01' is not an RFC 3339 time"),
    "no such month": (line(published="2026-13-01T00:00:00Z"), "is not an RFC 3339 time"),
    "no zone": (line(published="2026-01-01T00:00:00"), "is not an RFC 3339 time"),
    "too late": (line(published="9999-12-31T00:00:00Z"), "is too late to be a time"),
    "before the first day": (line(published="0001-01-01T00:00:00+14:00"), "is not an RFC 3339 time"),
    "an actor as text": (line(actor="alice"), "actor is a text, not an object"),
    "no actor": (line(actor=...), "actor is missing"),
    "an unknown kind of actor": (line(actor={"id": "a", "type": "robot"}), "actor.type 'robot' is not one of"),
    "no object": (line(object=...), "object is missing"),
    "no object id": (line(object={"type": "Note"}), "object.id is missing"),
    "a place without type": (line(context=[{"id": "c"}]), "context[0].type is missing"),
    "a place as number": (line(context=[7]), "context[0] is a number, not an object"),
    "context as object": (line(context={}), "context is an object, not a list"),
    "tags as text": (line(tags="a"), "tags is a text, not a list"),
    "a tag as number": (line(tags=["a", 1]), "tags[1] is a number, not text"),
    "a negative order": (line(object={"id": "o", "type": "Note", "order": -1}), "object.order is -1; it must lie in"),
    "true as order": (line(object={"id": "o", "type": "Note", "order": True}), "object.order is true or false"),
    "yes as flag": (line(object={"id": "o", "type": "Note", "truncated": "yes"}), "object.truncated is a text"),
    "ext with numbers": (line(ext={"a": 1}), "ext is not an object of texts"),
    "a link without address": (line(links=[{"title": "x"}]), "links[0].href is missing"),
    "no source": (line(provenance={}), "provenance.source is missing"),
    "an unknown visibility": (line(audience={"visibility": "ALL"}), "audience.visibility 'ALL' is not one of"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_by_its_field(what: str) -> None:
    given_, words = WRONG[what]
    with pytest.raises(Reject) as error:
        parse_line(given_)
    assert words in str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(SMALL)), inner, max_size=4),
        max_leaves=12,
    )
)
def test_nothing_but_reject_is_raised_whatever_is_given(value: Any) -> None:
    for record in (value, *({**SMALL, key: value} for key in (*SMALL, "audience", "context", "ext", "links", "tags"))):
        with suppress(Reject):
            parse(record)
