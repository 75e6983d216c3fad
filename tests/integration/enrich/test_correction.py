"""Another person behind an account, on real Kafka: the past follows, once, whatever ends in the middle."""

import asyncio
import signal
from collections import Counter
from dataclasses import replace

import pytest

from services.common import envelope, topics
from services.common.bus import Outgoing, Received
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Activity, ActivityType
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import START, Place, activity, as_enriched

pytestmark = pytest.mark.integration
_accounts = Codec("account")


async def link(place: Place, account: str, person: str) -> None:
    """As an administrator does; an empty person undoes the link."""
    record = {
        "account": account,
        "person": person,
        "evidence": "configured",
        "recorded": START,
        "name": "",
        "handle": "",
        "addressHash": "",
        "automated": False,
        "source": "admin",
    }
    value = _accounts.encode(record)
    await place.publish([Outgoing(topic=topics.ACCOUNT.name(place.prefix), key=account, value=value)])


async def newest(place: Place) -> dict[str, Received]:
    return {one.key: one for one in await place.records(topics.ENRICHED)}


async def people(place: Place) -> Counter[str]:
    return Counter(as_enriched(one).person for one in (await newest(place)).values())


async def counts(place: Place, wanted: dict[str, int]) -> None:
    async def right() -> bool:
        return await people(place) == wanted

    await eventually(right, what=f"activities are counted for {wanted}")


async def test_a_wrong_merge_is_undone_and_other_teams_hear_nothing(place: Place) -> None:
    place.start("enrich")
    await place.put(activity(1), activity(2, by="bob"), activity(3, by="cy"))
    await counts(place, {"chat:ann": 1, "chat:bob": 1, "chat:cy": 1})
    await link(place, "chat:ann", "person:1")
    await link(place, "chat:bob", "person:1")
    await counts(place, {"person:1": 2, "chat:cy": 1})
    await link(place, "chat:bob", "")
    await counts(place, {"person:1": 1, "chat:bob": 1, "chat:cy": 1})
    undone = (await newest(place))[activity(2).id]
    assert (as_enriched(undone).generation, undone.headers[envelope.FORMERLY]) == (2, b'["person:1"]')
    assert as_enriched(undone).text == "message number 2"
    await place.put(activity(4, by="bob"))
    await counts(place, {"person:1": 1, "chat:bob": 2, "chat:cy": 1})
    assert len(await place.public()) == 4
    assert await place.end("enrich") == 0


async def test_a_correction_that_is_killed_is_brought_to_its_end(place: Place) -> None:
    place.start("enrich")
    many = [activity(number) for number in range(4_000)]
    await place.put(*many)
    await counts(place, {"chat:ann": 4_000})
    await link(place, "chat:ann", "person:1")

    async def begun() -> bool:
        return (await people(place))["person:1"] > 0

    await eventually(begun, what="some are corrected", pause=0.1)
    await place.end("enrich", signal.SIGKILL)
    half = await people(place)
    assert half["chat:ann"] > 0
    place.start("enrich")
    await counts(place, {"person:1": 4_000})
    again = Counter(one.key for one in await place.records(topics.ENRICHED))
    assert sum(again.values()) <= 8_000 + 500  # at most what was on its way is there once more
    assert await place.end("enrich") == 0


async def test_a_correction_brings_no_deleted_text_back(place: Place) -> None:
    place.start("enrich")
    first = activity(1, "the password is swordfish")
    await place.put(first, *(activity(number) for number in range(2, 400)))
    await counts(place, {"chat:ann": 399})
    gone = activity(1_000, object_id="chat:1")
    gone = _deletion(gone)
    await link(place, "chat:ann", "person:1")
    await place.access(Access(id="chat:1", kind=AccessKind.OBJECT, withdrawn=("*",), order=gone.order, recorded=START))
    await place.put(gone)
    await counts(place, {"person:1": 400})
    await asyncio.sleep(1)  # whatever is still on its way
    last = (await newest(place))[first.id]
    assert envelope.REDACTED in last.headers
    assert b"swordfish" not in (last.value or b"")
    assert await place.end("enrich") == 0


def _deletion(one: Activity) -> Activity:
    thing = replace(one.object, type="Tombstone", content="")
    return replace(one, type=ActivityType.DELETE, verb="chat.redact", object=thing, withdraws=("*",))
