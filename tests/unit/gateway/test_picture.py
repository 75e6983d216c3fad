"""The picture of a topic: spans of the calendar, counts that give no single person away, and where it is all drawn."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.picture.counting import Act, counted
from services.gateway.picture.spans import MOST, spans
from services.gateway.web.drawing import WIDTH, drawn

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = st.datetimes(timezones=st.just(UTC))


def act(number: int, place: str = "forge", *people: str, **changed: Any) -> Act:
    """Return what was done a day after the one before."""
    fields = {
        "object": f"thing{number}",
        "place": place,
        "place_name": place.title(),
        "place_type": "Repository",
        "people": people,
        "reaches": frozenset({f"thing{number}"}),
        "tags": (),
        "published": NOON + timedelta(days=number),
    }
    return Act(**{**fields, **changed})


def nobody(_: str) -> str:
    return ""


def test_spans_are_of_the_calendar() -> None:
    found = spans(datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
    assert [found[0].label, found[-1].label, len(found)] == ["Jan 2025", "Dec 2025", 12]
    assert spans(NOON, NOON)[0].label == "1 Mar"
    assert spans(NOON, NOON + timedelta(days=900))[0].label == "Q1 2026"


@given(TIMES, TIMES)
def test_spans_hold_all_there_is_without_gaps_and_are_few(one: datetime, other: datetime) -> None:
    first, last = sorted((one, other))
    found = spans(first, last)
    assert found[0].start <= first
    assert last <= found[-1].end
    assert all(a.end == b.start for a, b in pairwise(found))
    assert 1 <= len(found) <= MOST


def test_people_are_counted_out_from_three_on() -> None:
    two = counted([act(1, "forge", "ann"), act(2, "forge", "bob")], nobody)
    three = counted([act(1, "forge", "ann", "bob"), act(2, "forge", "cat")], nobody)
    assert [two.nodes[0].people, three.nodes[0].people] == [0, 3]
    assert [two.nodes[0].things, three.nodes[0].name] == [2, "Forge"]


def test_two_people_in_both_places_connect_nothing_and_three_do() -> None:
    def both(*people: str) -> list[tuple[int, int]]:
        acts = [act(n, place, *people) for n, place in enumerate(("forge", "wiki"))]
        return [(one.people, one.things) for one in counted(acts, nobody).connections]

    assert both("ann", "bob") == []
    assert both("ann", "bob", "cat") == [(3, 0)]


def test_things_that_reach_into_both_places_connect_them_and_few_are_not_counted_out() -> None:
    acts = [act(1, "forge"), act(2, "wiki", reaches=frozenset({"thing2", "thing1"}))]
    few = counted(acts, nobody).connections
    assert [(one.between, one.things) for one in few] == [((("place", "forge"), ("place", "wiki")), 0)]
    many = [*acts, *(act(n, p, reaches=frozenset({f"t{n // 2}"})) for n in range(4, 8) for p in ("forge", "wiki"))]
    assert [one.things for one in counted(many, nobody).connections] == [3]


def test_a_unit_appears_with_three_of_its_people_and_is_connected_where_three_of_them_are() -> None:
    units = {"ann": "lab", "bob": "lab", "cat": "lab", "dan": "desk"}
    acts = [act(1, "forge", "ann", "bob", "cat"), act(2, "wiki", "ann", "dan"), act(3, "wiki", "eve")]
    found = counted(acts, lambda person: units.get(person, ""))
    assert [(node.key, node.people) for node in found.of("unit")] == [(("unit", "lab"), 3)]
    assert [one.between for one in found.connections] == [(("place", "forge"), ("unit", "lab"))]


def test_no_person_is_named() -> None:
    acts = [act(n, place, "ann", "bob", "cat") for n, place in enumerate(("forge", "wiki"))]
    assert not any(name in repr(counted(acts, nobody)) for name in ("ann", "bob", "cat"))


def test_topics_near_it_are_the_other_tags_by_the_things_that_have_them() -> None:
    acts = [act(1, tags=("Heron", "pond")), act(2, tags=("heron", "pond", "reed")), act(2, tags=("reed",))]
    assert counted(acts, nobody, topic="heron").near == [("pond", 2), ("reed", 1)]


def test_the_least_active_places_are_left_out_and_counted() -> None:
    acts = [act(100 * p + n, f"place{p:02}") for p in range(15) for n in range(15 - p)]
    found = counted(acts, nobody)
    assert (len(found.nodes), found.more) == (12, 3)
    assert [node.things for node in found.nodes] == sorted(range(4, 16), reverse=True)


def test_names_never_lie_over_each_other_and_nodes_stay_where_they_are_as_time_goes_by() -> None:
    acts = [act(n, f"place{n % 11:02}", "ann", "bob", f"p{n}") for n in range(60)]
    whole = counted(acts, nobody)
    now, before = drawn(whole, whole), drawn(counted(acts[:5], nobody), whole)
    for one, other in combinations(now.spots, 2):
        assert one.side != other.side or abs(one.y - other.y) >= 48
    assert all(0 < spot.x < WIDTH and 24 < spot.y < now.height - 24 for spot in now.spots)
    at = {spot.node.key: (spot.x, spot.y, spot.number) for spot in now.spots}
    assert len(before.spots) == 5
    assert all((spot.x, spot.y, spot.number) == at[spot.node.key] for spot in before.spots)


def test_what_is_connected_stands_side_by_side() -> None:
    acts = [act(n, place, "ann", "bob", "cat") for n, place in enumerate(("a", "d"))]
    acts += [act(n, place) for n, place in ((10, "b"), (11, "b"), (12, "c"), (13, "c"))]
    whole = counted(acts, nobody)
    numbers = {spot.node.key[1]: spot.number for spot in drawn(whole, whole).spots}
    assert abs(numbers["a"] - numbers["d"]) == 1
