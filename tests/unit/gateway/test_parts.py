"""The parts of the gateway: closed all of them, and bounded in what they hold."""

import pytest

from services.common import topics
from services.common.bus.memory import MemoryBus
from services.common.errors import Retry
from services.common.model import EPOCH
from services.common.recommendation import Recommendation, recommendation_out
from services.common.search.memory import MemorySearch
from services.gateway import recommendations
from services.gateway.parts import Parts
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import World, settings, world


async def test_a_part_that_cannot_be_closed_leaves_no_other_open(monkeypatch: pytest.MonkeyPatch) -> None:
    parts, closed = Parts.make(settings(), MemoryBus(), MemorySearch()), list[str]()

    async def broken() -> None:
        raise Retry("Kafka does not answer")

    async def well() -> None:
        closed.append("closed")

    monkeypatch.setattr(parts.trends, "stop", broken)
    for one in (parts.hub, parts.access, parts.search):
        monkeypatch.setattr(one, "stop", well)
    with pytest.raises(Retry):
        await parts.stop()
    assert len(closed) == 3


async def test_a_setting_of_another_version_ends_nothing() -> None:
    async with world() as w:
        for name in ("owed/x", "stream-token/x", "session/x", "token/x", "groups"):
            await w.parts.remembered.put("ann", name, {"of": "another version"})
        await w.parts.remembered.caught_up()
        assert (await w.get("/v1/me")).status == 200


async def recommend(w: World, number: int, **changed: object) -> None:
    one = Recommendation(**{"person": "ann", "object": f"chat:{number}", **changed})  # type: ignore[arg-type]
    await w.publish(topics.RECOMMENDATION, one.key, recommendation_out(one, EPOCH), place="ann")


async def test_what_is_recommended_no_more_is_forgotten_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommendations, "_MOST", 2)
    async with world() as w:
        held = w.parts.recommendations
        for number in range(4):
            await recommend(w, number)
        await recommend(w, 3, withdrawn=True)
        await recommend(w, 9)
        await eventually(lambda: held.get("ann", "chat:9"), what="the last one is held", pause=0.005)
        assert set(held._keys) == {one.key for one in held.of("ann")}
