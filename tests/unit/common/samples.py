"""One full activity, so that a test can say what it changes."""

from datetime import UTC, datetime

from services.common.model import (
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Link,
    Method,
    Object,
    Provenance,
    Visibility,
)

SECRET = "the plan nobody may read"

FULL = Activity(
    id="wiki:page/7@42#wiki.edit",
    type=ActivityType.UPDATE,
    verb="wiki.edit",
    published=datetime(2026, 3, 1, 12, 0, 0, 123456, UTC),
    recorded=datetime(2026, 3, 1, 12, 0, 5, 1, UTC),
    actor=Account(id="wiki:ann", name="Ann", handle="ann", address_hash="ab12"),
    object=Object(
        id="wiki:page/7",
        type="Page",
        url=f"https://wiki.example/{SECRET}",
        title=SECRET,
        version="42",
        previous_version="41",
        order=4242,
        in_reply_to="wiki:page/6",
        attributed_to="wiki:bob",
        content=SECRET,
        media_type="text/x-wiki",
        language="en",
        truncated=True,
    ),
    target=Container(id="wiki:ns/0", type="Namespace", name=SECRET, url=f"https://wiki.example/{SECRET}"),
    origin=Container(id="wiki:ns/1", type="Namespace", name=SECRET),
    context=(
        Container(id="wiki", type="Wiki", name="The wiki"),
        Container(id="wiki:page/7", type="Thread", name=SECRET, url=f"https://wiki.example/{SECRET}"),
    ),
    audience=Audience(visibility=Visibility.PUBLIC, container="wiki"),
    tags=(SECRET,),
    mentions=("wiki:carl",),
    links=(Link(href=f"https://wiki.example/{SECRET}", object="wiki:page/8", title=SECRET),),
    files=(SECRET,),
    coauthors=("wiki:dora",),
    withdraws=("41",),
    provenance=Provenance(
        source="wiki",
        connector="mediawiki",
        connector_version="1",
        method=Method.POLL,
        native_type="edit",
        native_id="7",
        authenticated=True,
        mapping=3,
    ),
    ext={"comment": SECRET},
)

FULL_ENRICHED = Enriched(
    activity=FULL,
    person="ann",
    coauthor_people=("dora",),
    mention_people=("carl",),
    thread="wiki:page/7",
    text=SECRET,
    language="en",
    tags=(SECRET,),
    phrases=(SECRET,),
    links=(Link(href="https://wiki.example/x", title=SECRET),),
    vector=b"\x00\x3c" * 256,
    automated=False,
    burst="b1",
    notes=("links",),
    generation=2,
)
