"""Groups on the same work, unaware of each other."""

from collections.abc import Callable, Collection

from services.common.model import Enriched
from services.enrich.meeting.same_work import SameWork, same_work
from services.enrich.meeting.things import Things
from tests.unit.enrich.meeting.made import said

CACHE = "The cache evicts entries while the replica is warming; eviction stalls the replica"
NOBODY: Callable[[str], Collection[str]] = lambda _: ()  # noqa: E731


def group(channel: str, text: str, people: str, first: int, days: float = 0) -> list[Enriched]:
    return [
        said(first + n, who, f"{channel} {n}", channel=channel, text=f"{text} in {channel} {n}", days=days)
        for n, who in enumerate(people.split() * 2)
    ]


def others() -> list[Enriched]:
    return [
        *group("kitchen", "Soup needs more salt and bread", "ann bob cid", 100),
        *group("garage", "The engine loses oil near the gasket", "dan eve fay", 200),
    ]


def found(activities: list[Enriched], linked: Callable[[str], Collection[str]] = NOBODY) -> list[SameWork]:
    things = Things()
    for one in activities:
        things.observe(one)
    return same_work(things, things.clock, linked)


def both(days: float = 0) -> list[Enriched]:
    return [*group("north", CACHE, "gil hal ida", 300), *group("south", CACHE, "jon kim lou", 400, days), *others()]


def test_two_groups_that_write_of_the_same_are_found_with_the_overlap() -> None:
    (one,) = found(both())
    assert one.containers == ("chat:north", "chat:south")
    assert {"cache", "replica"} <= set(one.words)
    assert one.people == (3, 3)
    assert all(object_id.startswith("chat:3") for object_id in one.objects[0])


def test_groups_whose_people_are_linked_know_of_each_other() -> None:
    assert found(both(), lambda person: {"gil": {"jon"}, "jon": {"gil"}}.get(person, ())) == []


def test_groups_that_share_people_know_of_each_other() -> None:
    assert found([*both(), said(900, "gil", "south 9", channel="south", text=CACHE)]) == []


def test_what_was_long_ago_is_not_recent_work() -> None:
    assert found(both(days=100)) == []


def test_what_is_withdrawn_is_no_overlap() -> None:
    things = Things()
    for one in both():
        things.observe(one)
    for n in range(6):
        things.withdraw(f"chat:{300 + n}")
    assert same_work(things, things.clock, NOBODY) == []
