"""The durable path on real Kafka: every activity once, whatever happens to the worker."""

import signal
from collections import Counter

import pytest

from services.common import topics
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
    assert await place.end("enrich") == 0


async def test_repetitions_are_dropped_and_changed_content_is_not(place: Place) -> None:
    place.start("enrich")
    await place.put(*(activity(1) for _ in range(3)), activity(1, "changed"), activity(2))

    async def both_there() -> bool:
        return await count(place) == 3

    await eventually(both_there, what="two contents of one activity, and another")
    assert await place.end("enrich") == 0
    place.start("enrich")  # what it had is known to the next one
    await place.put(activity(1), activity(1, "changed"), activity(3))

    async def one_more() -> bool:
        return await count(place) == 4

    await eventually(one_more, what="only the new one is added")
    assert await place.end("enrich") == 0
    assert await count(place) == 4


@pytest.mark.parametrize("kill_after", [500, 2000])
async def test_every_id_is_there_once_after_kill_9_under_load(place: Place, kill_after: int) -> None:
    total = 5_000
    await place.put(*(activity(number) for number in range(total)))
    place.start("enrich", "first")

    async def under_way() -> bool:
        return await count(place) >= kill_after

    await eventually(under_way, what="the first worker is at work", pause=0.05)
    assert await place.end("first", signal.SIGKILL) == -signal.SIGKILL
    place.start("enrich", "second")

    async def all_there() -> bool:
        return await count(place) >= total

    await eventually(all_there, what=f"{total} activities")
    await place.end("second")
    found = Counter(one.activity.id for one in await place.enriched())
    assert len(found) == total
    assert found.most_common(1)[0][1] == 1
    shown = Counter(one.id for one in await place.public())
    assert len(shown) == total
    assert shown.most_common(1)[0][1] == 1


async def test_a_suspended_worker_that_wakes_up_doubles_nothing(place: Place) -> None:
    total = 6_000
    place.start("enrich", "first")
    place.start("enrich", "second")
    await place.put(*(activity(number) for number in range(total // 2)))

    async def under_way() -> bool:
        return await count(place) >= 200

    await eventually(under_way, what="the workers are at work", pause=0.05)
    place.processes["first"].send_signal(signal.SIGSTOP)
    await place.put(*(activity(number) for number in range(total // 2, total)))

    async def all_there() -> bool:
        return await count(place) >= total

    await eventually(all_there, what="the second worker does it all")
    place.processes["first"].send_signal(signal.SIGCONT)
    await place.put(*(activity(number) for number in range(total, total + 500)))
    total += 500
    await eventually(all_there, what="both go on")
    assert await place.end("first") == 0
    assert await place.end("second") == 0
    found = Counter(one.activity.id for one in await place.enriched())
    assert len(found) == total
    assert found.most_common(1)[0][1] == 1
