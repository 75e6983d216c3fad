"""The durable path on real Kafka: every activity once, whatever happens to the worker."""

import signal
from collections import Counter

import pytest

from services.common import topics
from services.enrich.lane import ORDINARY
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import Place, activity

pytestmark = pytest.mark.integration


async def count(place: Place) -> int:
    return len(await place.records(topics.ENRICHED))


async def test_activities_come_out_enriched_and_public(place: Place) -> None:
    place.start("enrich")
    await place.put(*(activity(number, f"We should rewrite the parser, part {number}") for number in range(20)))

    async def all_there() -> bool:
        return await count(place) == 20

    await eventually(all_there, what="20 enriched activities")
    one = (await place.enriched())[0]
    assert (one.person, one.language, one.thread) == ("chat:ann", "en", one.activity.object.id)
    assert one.text == one.activity.object.content
    assert len(one.vector) == 512
    assert one.notes == ()
    assert {a.object.id for a in await place.public()} == {f"chat:{number}" for number in range(20)}
    assert place.end("enrich") == 0
