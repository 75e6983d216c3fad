from dataclasses import replace

from services.common import envelope
from services.common.access import AccessState
from services.common.bus import Partition, Received
from services.common.codec import Codec
from services.common.model import REDACTED_GENERATION, Access, AccessKind, Activity, ActivityType, Enriched, Visibility
from services.common.records import activity_in, activity_out, enriched_in
from services.enrich.pipeline import Knowledge
from services.enrich.redact import Withdrawal
from services.enrich.seen import Seen, hash_of
from services.enrich.work import CONTAINER, Result, Worker
from tests.unit.enrich.made import ROOM, activity

CODEC, ENRICHED = Codec("activity"), Codec("enriched")


def worker(*records: Access) -> Worker:
    access = AccessState()
    for record in (Access(id=ROOM.id, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC), *records):
        access.apply(record)
    return Worker("e", "p", Knowledge(), access, CODEC, ENRICHED)


def record(one: Activity | bytes | None, offset: int = 0, **headers: bytes) -> Received:
    value = CODEC.encode(activity_out(one)) if isinstance(one, Activity) else one
    key = one.id if isinstance(one, Activity) else "k"
    given = dict(envelope.headers(one)) if isinstance(one, Activity) else {}
    place = Partition("a", 3)
    return Received(partition=place, offset=offset, key=key, value=value, headers={**given, **headers}, timestamp=0)


def done(given: Worker, *records: Received, seen: Seen | None = None) -> list[Result]:
    return given.finish(given.decode(records), seen or Seen())


def enriched(result: Result) -> Enriched:
    assert result.enriched is not None
    return enriched_in(ENRICHED.decode(result.enriched.value or b""))


def public(result: Result) -> Activity | None:
    return activity_in(CODEC.decode(result.public.value or b"")) if result.public else None


def test_an_activity_goes_to_the_same_partition_under_its_own_keys() -> None:
    [result] = done(worker(), record(activity(1, "<b>hello</b>", object_media_type="text/html"), traceparent=b"00-1"))
    assert result.enriched is not None
    assert result.public is not None
    assert (result.enriched.topic, result.enriched.key, result.enriched.partition) == ("e", "chat:1#chat.message", 3)
    assert (result.public.topic, result.public.key, result.public.partition) == ("p", "chat:1", 3)
    assert dict(result.public.headers)[CONTAINER] == b"chat:room"
    assert dict(result.enriched.headers)["traceparent"] == b"00-1"
    shown = public(result)
    assert shown is not None
    assert (shown.object.content, shown.object.media_type) == ("hello", "text/plain")
    assert enriched(result).activity.object.content == "<b>hello</b>"


def test_what_cannot_be_decoded_says_why_and_a_tombstone_is_nothing() -> None:
    bad, tombstone, good = done(worker(), record(b"\x00junk"), record(None), record(activity()))
    assert "schema id" in str(bad.error)
    assert (tombstone.error, tombstone.enriched) == (None, None)
    assert good.enriched


def test_repetitions_within_the_window_come_to_nothing_and_older_ones_are_marked() -> None:
    seen, again = Seen(window=1, block=1), activity(1, "hello")
    seen.add([hash_of(again.id, envelope.fingerprint(again)), 5, 6])
    first, second = done(worker(), record(again), record(again), seen=seen)
    assert first.enriched is not None
    assert dict(first.enriched.headers)[envelope.REDELIVERED] == b"1"
    assert second.enriched is None


def test_the_fingerprint_in_the_header_is_believed() -> None:
    first, second = done(
        worker(), record(activity(1, "a"), fingerprint=b"f"), record(activity(1, "b"), fingerprint=b"f")
    )
    assert first.enriched
    assert second.enriched is None


def test_what_not_everyone_may_open_is_not_public() -> None:
    elsewhere = activity(2)
    elsewhere = replace(elsewhere, audience=replace(elsewhere.audience, container="chat:closed"))
    marked = Access(id="chat:1", kind=AccessKind.OBJECT, restricted=True, principals=("ann",))
    one, other, third = done(worker(marked), record(activity(1)), record(elsewhere), record(activity(3)))
    assert one.enriched
    assert one.public is None
    assert other.public is None
    assert third.public


def test_withdrawn_text_comes_out_blank_above_any_other_generation() -> None:
    gone = Access(id="chat:1", kind=AccessKind.OBJECT, withdrawn=("*",))
    [result] = done(worker(gone), record(activity(1, "secret words", object_title="secret title")))
    one = enriched(result)
    assert "secret" not in str(one)
    assert one.generation == REDACTED_GENERATION
    assert result.enriched is not None
    assert dict(result.enriched.headers)[envelope.REDACTED] == b"1"
    assert result.public is None


def test_a_deletion_itself_is_public_as_a_tombstone_and_not_marked_redacted() -> None:
    gone = Access(id="chat:1", kind=AccessKind.OBJECT, withdrawn=("*",), order=10**18)
    one = activity(9, object_id="chat:1", type=ActivityType.DELETE, withdraws=("*",))
    [result] = done(worker(gone), record(one))
    shown = public(result)
    assert shown is not None
    assert (shown.type, shown.object.type, shown.object.id) == (ActivityType.DELETE, "Tombstone", "chat:1")
    assert result.enriched is not None
    assert envelope.REDACTED not in dict(result.enriched.headers)
    assert enriched(result).generation == 0


def test_a_redaction_covers_what_was_before_and_nothing_else() -> None:
    every = Withdrawal("chat:1", frozenset("*"), order=100, offset=5)
    assert every.covers(activity(1, object_order=100))
    assert not every.covers(activity(1, object_order=101))
    assert not every.covers(activity(2, object_order=1))
    assert not every.covers(activity(1, object_order=1, withdraws=("*",)))
    one = Withdrawal("chat:1", frozenset({"3"}), order=100, offset=5)
    assert one.covers(activity(1, object_version="3", object_order=500))
    assert not one.covers(activity(1, object_version="4", object_order=1))


def test_a_record_without_headers_gets_those_of_its_activity() -> None:
    bare = replace(record(activity(1, "hello")), headers={})
    [result] = done(worker(), bare)
    assert result.enriched is not None
    assert dict(result.enriched.headers)["ce_subject"] == b"chat:1"
    assert dict(result.enriched.headers)[envelope.FINGERPRINT].decode() == envelope.fingerprint(activity(1, "hello"))
