"""Ties and meetings on real Kafka: by one worker, and by another when that one is killed."""

import signal
from typing import Any

import pytest

from services.common import topics
from services.common.model import Enriched
from services.common.topics import Topic
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import Place
from tests.integration.enrich.test_scoring import as_record, latest
from tests.unit.enrich.meeting.made import said
from tests.unit.enrich.meeting.test_introductions import world

pytestmark = pytest.mark.integration


async def put(place: Place, activities: list[Enriched]) -> None:
    await place.publish(as_record(place, one) for one in activities)


async def test_when_the_worker_that_ties_is_killed_the_other_goes_on_from_the_log(place: Place) -> None:
    for container in ("chat:north", "chat:south"):
        await place.open(container)
    await put(place, world())
    place.start("score")
    await eventually(lambda: _of(place, topics.MEETING, "gil jon"), what="the meeting")
    ties, meetings = await latest(place, topics.TIE), await latest(place, topics.MEETING)
    assert [one["person"] for one in meetings["gil jon"]["introducers"]] == ["zoe"]
    place.start("score", "second", WATERCOOLER_STATE=str(place.folder / "second"))
    await place.end("score", signal.SIGKILL)
    await put(place, [said(900 + n, who, "later", days=9, channel="north") for n, who in enumerate(["ann", "bob"])])
    await eventually(lambda: _of(place, topics.TIE, "ann bob"), what="the tie after the kill", within=90)
    after = await latest(place, topics.TIE)
    assert {key: after[key] for key in ties} == ties
    assert (await latest(place, topics.MEETING))["gil jon"] == meetings["gil jon"], "what rests on the same stands"
    assert await place.end("second") == 0


async def _of(place: Place, topic: Topic, key: str) -> dict[str, Any] | None:
    return (await latest(place, topic)).get(key)
