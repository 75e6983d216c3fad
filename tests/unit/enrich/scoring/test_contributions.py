"""Activities re-keyed to people: who has one, and who has it no more."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from services.common import envelope
from services.common.bus import Partition, Received
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.records import enriched_out
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.scoring.contributions import Contributions
from services.enrich.scoring.follow import Followed
from services.enrich.scoring.past import History
from tests.unit.enrich.made import activity


def work(**headers: bytes) -> dict[str, bool]:
    """Return for whom a message of ann's, who is person 1 now, says something with (True) or without terms."""
    [one] = enrich([activity(1, "the cache of the parser is cold")], Knowledge())
    value = Codec("enriched").encode(enriched_out(replace(one, person="person:1", generation=1)))
    record = Received(
        partition=Partition("t.enriched.v1", 0), offset=0, key="k", value=value, headers=headers, timestamp=0
    )
    with ThreadPoolExecutor(1) as executor:
        stream = Contributions(Followed(MemoryBus("t."), History(), executor), "t.")
        found = [Codec("contribution").decode(out.value or b"") for out in stream.work(record)]
    return {one["person"]: bool(one["terms"]) for one in found}


def test_an_activity_is_its_persons() -> None:
    assert work() == {"person:1": True}


def test_a_corrected_one_is_nothing_any_more_to_whom_it_was_counted_for() -> None:
    assert work(corrected=b"1", formerly=b'["chat:ann"]') == {"person:1": True, "chat:ann": False}


def test_a_withdrawn_one_is_nothing_to_either() -> None:
    assert work(corrected=b"1", redacted=b"1", formerly=b'["chat:ann"]') == {"person:1": False, "chat:ann": False}


def test_an_old_repetition_says_nothing() -> None:
    assert work(**{envelope.REDELIVERED: b"1"}) == {}
