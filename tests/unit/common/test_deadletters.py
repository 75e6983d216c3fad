"""Dead letters carry what is needed to try again; a flood of them stops the service."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.bus import Outgoing, Partition, Received, Unpublished
from services.common.codec import Codec
from services.common.deadletters import DeadLetters, Flood, FromSource
from services.common.errors import Reject, Retry, Stop

AT = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


class Kept:
    """A publisher that keeps what it is given, and refuses what is larger than it takes."""

    def __init__(self, takes: int = 1_048_576, error: type[Retry] | type[Reject] = Reject) -> None:
        self.records: list[Outgoing] = []
        self.takes = takes
        self.error = error

    async def publish(self, records: Iterable[Outgoing]) -> None:
        for record in records:
            if len(record.value or b"") > self.takes:
                raise Unpublished([(record, self.error("too large"))])
            self.records.append(record)

    async def stop(self) -> None: ...

    def letters(self) -> list[dict[str, Any]]:
        return [Codec("deadletter").decode(record.value or b"") for record in self.records]


def received(value: bytes | None = b"original", **changed: Any) -> Received:
    fields: dict[str, Any] = {
        "partition": Partition("t.activity.v1", 3),
        "offset": 77,
        "key": "k",
        "value": value,
        "headers": {"ce_id": b"1"},
        "timestamp": 1,
    }
    return Received(**{**fields, **changed})


def dead(kept: Kept, flood: Flood | None = None) -> DeadLetters:
    return DeadLetters(kept, "enrich", prefix="t.", flood=flood, clock=lambda: AT)


async def test_a_letter_carries_the_original_and_where_it_came_from() -> None:
    kept = Kept()
    await dead(kept).put(received(), Reject("no such field"), attempt=2)
    assert (kept.records[0].topic, kept.records[0].partition, kept.records[0].key) == ("t.deadletter.v1", 3, "k")
    assert kept.letters() == [
        {
            "service": "enrich",
            "error": "Reject",
            "reason": "no such field",
            "topic": "t.activity.v1",
            "partition": 3,
            "offset": 77,
            "key": b"k",
            "value": b"original",
            "headers": {"ce_id": b"1"},
            "attempt": 2,
            "at": AT,
        }
    ]


async def test_what_a_source_sent_is_kept_under_its_name() -> None:
    kept = Kept()
    await dead(kept).put(FromSource(source="wiki", value=b"{", key="rc/9"), Reject("not JSON"))
    letter = kept.letters()[0]
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("wiki", -1, -1)
    assert kept.records[0].partition is None


async def test_a_record_too_large_is_put_aside_by_reference() -> None:
    kept = Kept()
    await dead(kept).put(received(b"x" * 1_000_000), Reject("bad"))
    letter = kept.letters()[0]
    assert (letter["value"], letter["topic"], letter["offset"]) == (None, "t.activity.v1", 77)


async def test_a_topic_that_takes_less_gets_the_letter_by_reference_too() -> None:
    kept = Kept(takes=500)
    await dead(kept).put(received(b"x" * 600), Reject("bad"))
    assert kept.letters()[0]["value"] is None


async def test_a_letter_that_cannot_be_stored_is_not_passed_over() -> None:
    with pytest.raises(Unpublished):
        await dead(Kept(takes=0, error=Retry)).put(received(), Reject("bad"))


async def test_a_topic_that_refuses_even_a_reference_stops_the_service() -> None:
    with pytest.raises(Stop, match=r"t\.deadletter\.v1 refuses every record"):
        await dead(Kept(takes=0)).put(received(), Reject("bad"))


async def test_a_flood_stops_after_the_letter_is_stored() -> None:
    kept = Kept()
    letters = dead(kept, Flood(in_a_row=3))
    await letters.put(received(), Reject("bad"))
    await letters.put(received(), Reject("bad"))
    with pytest.raises(Stop, match="3 records in a row"):
        await letters.put(received(), Reject("bad"))
    assert len(kept.records) == 3


async def test_one_in_a_thousand_never_stops() -> None:
    kept = Kept()
    letters = dead(kept, Flood(in_a_row=2, of_thousand=2))
    for _ in range(50):
        letters.good(999)
        await letters.put(received(), Reject("bad"))
    assert len(kept.records) == 50


def test_too_large_a_share_stops_and_names_the_setting() -> None:
    flood = Flood(in_a_row=10, of_thousand=100)
    for _ in range(100):
        flood.bad()
        flood.good(8)
    with pytest.raises(Stop, match=r"101 of the last 1000 records.*WATERCOOLER_DEADLETTERS_OF_THOUSAND"):
        flood.bad()


def test_a_success_ends_a_row() -> None:
    flood = Flood(in_a_row=2)
    for _ in range(5):
        flood.bad()
        flood.good()
    flood.good(0)
    flood.bad()
    with pytest.raises(Stop):
        flood.bad()
