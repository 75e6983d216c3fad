"""Where people are active: asked for once in a while, of each person apart."""

import pytest

from services.gateway import haunts as module
from services.gateway.haunts import Haunts


async def test_places_are_asked_for_once_in_a_while_and_anew_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = 0.0, list[str]()
    haunts = Haunts(clock=lambda: now)
    monkeypatch.setattr(module, "_MOST", 2)

    async def of(who: str) -> tuple[str, ...]:
        async def ask() -> tuple[str, ...]:
            asked.append(who)
            return (f"place of {who}",)

        return await haunts.of((who,), ask)

    assert [await of("ann"), await of("ann"), await of("bob")] == [("place of ann",)] * 2 + [("place of bob",)]
    assert asked == ["ann", "bob"]
    now = 601.0
    await of("ann")
    await of("carl")  # beyond what is remembered: bob's, the oldest, are forgotten
    await of("ann")
    await of("bob")
    assert asked == ["ann", "bob", "ann", "carl", "bob"]
