"""People to meet: who, on what common ground, through whom, and what must never be said."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.common.model import Enriched
from services.enrich.meeting.introductions import Asked, Introductions, Meeting
from tests.unit.enrich.meeting.made import said

CACHE = "The cache evicts entries while the replica warms; eviction stalls the replica"
SAME = "Each replica hurts from eviction in our cache, which warms slowly"
OPEN = Asked(lambda *_: True, lambda _: False, lambda *_: False)


def busy(who: str, channel: str, first: int) -> list[Enriched]:
    return [
        said(first + n, who, f"{who} {n}", days=n, channel=channel, text=f"word{first} topic{first + n} note{n}")
        for n in range(3)
    ]


def world() -> list[Enriched]:
    """Gil in the north and Jon in the south have the same trouble; both have met Zoe, and never each other."""
    return [
        *(one for n, who in enumerate(["ann", "bob", "cid", "gil"]) for one in busy(who, "north", 10 * n + 10)),
        *(one for n, who in enumerate(["dan", "eve", "fay", "jon"]) for one in busy(who, "south", 10 * n + 60)),
        said(201, "gil", "trouble", days=5, channel="north", text=CACHE),
        said(202, "jon", "stalls", days=6, channel="south", text=SAME),
        *(said(210 + n, who, "lunch", days=2, channel="north", text="pizza") for n, who in enumerate(["gil", "zoe"])),
        *(said(220 + n, who, "dinner", days=3, channel="south", text="pasta") for n, who in enumerate(["jon", "zoe"])),
    ]


def known(activities: list[Enriched]) -> Introductions:
    introductions = Introductions(most_things=200)
    for one in activities:
        introductions.observe(one)
    return introductions


def jon(meetings: list[Meeting]) -> Meeting:
    return next(one for one in meetings if one.pair == ("gil", "jon"))


def test_people_with_the_same_trouble_in_different_places_should_meet() -> None:
    one = jon(known(world()).meetings("gil", OPEN))
    ground = one.ground[0]
    assert [place.object for place in ground.places] == ["chat:201", "chat:202"]
    assert {"replica", "eviction", "cache"} & set(ground.words)
    assert sum(one.terms.values()) == pytest.approx(one.score)


def test_a_meeting_is_the_same_from_both_ends() -> None:
    introductions = known(world())
    there, back = jon(introductions.meetings("gil", OPEN)), jon(introductions.meetings("jon", OPEN))
    assert there.pair == back.pair
    assert there.ground[0].places == back.ground[0].places
    assert there.score == pytest.approx(back.score, rel=0.01)  # rarities are those of the moment a text came


def test_who_is_tied_to_both_could_introduce_them() -> None:
    (introducer,) = jon(known(world()).meetings("gil", OPEN)).introducers
    assert introducer.person == "zoe"
    assert [place.object for place in introducer.places] == ["chat:210", "chat:220"]


def test_people_who_met_need_not_be_introduced() -> None:
    met = [said(300 + n, who, "corridor", days=7) for n, who in enumerate(["gil", "jon"])]
    assert known(world() + met).meetings("gil", OPEN) == []
    mentioned = said(300, "gil", "corridor", days=7, mentions=("jon",))
    assert known([*world(), mentioned]).meetings("gil", OPEN) == []


@pytest.mark.parametrize("blind", ["gil", "jon"])
def test_nothing_private_to_one_side_is_common_ground(blind: str) -> None:
    closed = {"gil": "chat:202", "jon": "chat:201"}[blind]
    asked = replace(OPEN, may_open=lambda who, _, object_id: (who, object_id) != (blind, closed))
    assert known(world()).meetings("gil", asked) == []


def test_an_introducer_met_in_private_is_not_named() -> None:
    asked = replace(OPEN, may_open=lambda who, _, object_id: (who, object_id) != ("jon", "chat:210"))
    assert jon(known(world()).meetings("gil", asked)).introducers == ()


@pytest.mark.parametrize(
    "asked",
    [
        replace(OPEN, excluded=lambda who: who == "jon"),
        replace(OPEN, excluded=lambda who: who == "gil"),
        replace(OPEN, declined=lambda who, other: (who, other) == ("gil", "jon")),
        replace(OPEN, declined=lambda who, other: (who, other) == ("jon", "gil")),
    ],
)
def test_opting_out_and_declining_hold_for_both_ends(asked: Asked) -> None:
    introductions = known(world())
    assert introductions.meetings("gil", asked) == introductions.meetings("jon", asked) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.withdraw("chat:202"),
        lambda one: one.withdraw("chat:201"),
        lambda one: one.forget("jon"),
    ],
)
def test_what_is_withdrawn_or_forgotten_is_no_ground(change: Callable[[Introductions], None]) -> None:
    introductions = known(world())
    change(introductions)
    assert introductions.meetings("gil", OPEN) == []


def test_a_forgotten_person_introduces_nobody() -> None:
    introductions = known(world())
    introductions.forget("zoe")
    assert jon(introductions.meetings("gil", OPEN)).introducers == ()


def test_a_copied_text_is_no_common_ground() -> None:
    copied = [replace(one, text=CACHE) if one.activity.id.startswith("chat:202") else one for one in world()]
    assert known(copied).meetings("gil", OPEN) == []


def test_what_somebody_began_who_opted_out_is_no_ground_for_others() -> None:
    began = [said(600, "uma", "stalls 2", days=6, channel="south", text=SAME + " now")]
    joined = [*began, said(601, "fay", "stalls 2", days=7, channel="south")]
    introductions = known(world() + joined)
    assert any("fay" in one.pair for one in introductions.meetings("gil", OPEN))
    without = replace(OPEN, excluded=lambda who: who == "uma")
    assert all("fay" not in one.pair for one in introductions.meetings("gil", without))


def test_somebody_who_was_hardly_seen_is_not_suggested() -> None:
    stranger = said(400, "max", "help", days=6, channel="south", text=CACHE)
    assert all("max" not in one.pair for one in known([*world(), stranger]).meetings("gil", OPEN))


def test_having_been_in_the_same_crowd_is_common_ground() -> None:
    party = [said(500 + n, who, "party", days=8) for n, who in enumerate(["ann", "dan", *(f"x{n}" for n in range(30))])]
    (one,) = [m for m in known(world() + party).meetings("ann", OPEN) if m.pair == ("ann", "dan")]
    assert [place.object for place in one.ground[0].places] == ["chat:500"]
