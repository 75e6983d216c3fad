"""What was withdrawn leaves no text behind, anywhere in the record."""

from services.common.codec import Codec
from services.common.records import activity_out, enriched_out
from services.common.withdrawal import blank, without_content
from tests.unit.common.samples import FULL, FULL_ENRICHED, SECRET


def test_no_text_of_the_object_is_left_in_the_bytes() -> None:
    assert SECRET.encode() in Codec("activity").encode(activity_out(FULL))
    assert SECRET.encode() not in Codec("activity").encode(activity_out(without_content(FULL)))


def test_who_when_where_and_which_stay() -> None:
    bare = without_content(FULL)
    for name in ("id", "type", "verb", "published", "recorded", "actor", "audience", "coauthors", "withdraws"):
        assert getattr(bare, name) == getattr(FULL, name)
    assert (bare.object.id, bare.object.type, bare.object.version) == ("wiki:page/7", "Page", "42")
    assert bare.object.in_reply_to == "wiki:page/6"
    assert bare.order == FULL.order
    assert bare.context[0] == FULL.context[0]
    assert [c.id for c in bare.context] == [c.id for c in FULL.context]


def test_an_enriched_activity_loses_what_was_computed_from_the_text() -> None:
    bare = blank(FULL_ENRICHED)
    assert SECRET.encode() not in Codec("enriched").encode(enriched_out(bare))
    assert bare.vector == b""
    assert bare.mention_people == ()
    assert (bare.person, bare.thread, bare.generation, bare.burst) == ("ann", "wiki:page/7", 2, "b1")


def test_twice_is_the_same_as_once() -> None:
    assert blank(blank(FULL_ENRICHED)) == blank(FULL_ENRICHED)
