"""What people's acts come to mean for scoring."""

from typing import Any

import pytest

from services.common.bus.memory import MemoryBus
from services.enrich.scoring.views import Feedback, Left


def act(kind: str, *, undone: bool = False) -> dict[str, Any]:
    return {"person": "ann", "subject": "bob", "kind": kind, "undone": undone, "surface": "people", "container": ""}


@pytest.mark.parametrize("kind", ["mute", "not-useful"])
def test_both_ways_of_saying_no_decline_a_meeting_until_taken_back(kind: str) -> None:
    feedback = Feedback(MemoryBus(), Left())
    feedback.hear(act(kind))
    assert feedback.declines("ann", "bob")
    assert not feedback.declines("bob", "ann")
    feedback.hear(act(kind, undone=True))
    assert not feedback.declines("ann", "bob")


def test_what_is_of_no_use_is_not_muted() -> None:
    feedback = Feedback(MemoryBus(), Left())
    feedback.hear(act("not-useful"))
    assert feedback.of("ann").muted == frozenset()
