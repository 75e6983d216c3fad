"""Headers are CloudEvents, and a fingerprint is of the meaning alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.envelope import fingerprint, headers, rfc3339
from services.common.model import EPOCH, Method, Provenance, micros
from tests.unit.common.samples import FULL


def test_headers_are_those_of_cloudevents_in_binary_mode() -> None:
    assert dict(headers(FULL)) == {
        "ce_specversion": b"1.0",
        "ce_id": b"wiki:page/7@42#wiki.edit",
        "ce_source": b"/sources/wiki",
        "ce_type": b"watercooler.wiki.edit",
        "ce_time": b"2026-03-01T12:00:00.123456Z",
        "ce_subject": b"wiki:page/7",
        "content-type": b"application/avro",
        "withdraws": b"1",
    }


def test_the_way_and_time_an_activity_came_in_do_not_change_its_fingerprint() -> None:
    seen_again = replace(
        FULL,
        recorded=datetime(2027, 1, 1, tzinfo=UTC),
        provenance=Provenance(source="wiki", method=Method.BACKFILL, native_type="other", native_id="9"),
    )
    assert fingerprint(seen_again) == fingerprint(FULL)


@pytest.mark.parametrize(
    "other",
    [
        replace(FULL, object=replace(FULL.object, content="another text")),
        replace(FULL, tags=("tag",)),
        replace(FULL, withdraws=()),
        replace(FULL, provenance=replace(FULL.provenance, source="other")),
        replace(FULL, published=datetime(2026, 3, 1, 12, 0, 0, 123457, UTC)),
    ],
)
def test_another_meaning_is_another_fingerprint(other: object) -> None:
    assert fingerprint(other) != fingerprint(FULL)  # type: ignore[arg-type]


def test_times_are_written_in_utc() -> None:
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_micros_are_exact(at: datetime) -> None:
    assert EPOCH + timedelta(microseconds=micros(at)) == at


def test_micros_keep_the_last_digit() -> None:
    assert micros(datetime(2026, 3, 1, 12, 0, 0, 123457, UTC)) - micros(FULL.published) == 1
