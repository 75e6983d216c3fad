"""What rises, corrected for size, in worlds where it is known."""

import random

from services.common.model import Enriched
from services.common.rising import surprise
from services.enrich.meeting.trends import WEEK, Trend, Trends, week_of
from tests.unit.enrich.meeting.made import at, said

NOW = week_of(at(70))


def talk(number: int, by: str, topic: str, day: float, channel: str = "room") -> Enriched:
    one = said(number, by, f"{channel} {number}", days=day, channel=channel)
    return Enriched(activity=one.activity, person=by, thread=one.thread, phrases=(topic,))


def usual(weeks: int = 9, each: int = 10, channel: str = "room", first: int = 0) -> list[Enriched]:
    """Return weeks of ten people's talk, one of them about soup in every week."""
    return [
        talk(first + 100 * w + n, f"p{n}", "soup" if n == 0 else f"thing {n}", 7 * w + 7, channel)
        for w in range(weeks)
        for n in range(each)
    ]


def rising(activities: list[Enriched], week: int = NOW) -> list[Trend]:
    trends = Trends()
    for one in activities:
        trends.observe(one)
    return trends.rising(week)


def test_a_new_topic_of_several_people_rises() -> None:
    found = rising(usual() + [talk(2000 + n, f"p{n}", "stew", 70) for n in range(5)])
    assert [(one.kind, one.topic) for one in found] == [("rise", "stew")]
    part = found[0].parts[0]
    assert (part.container, part.count, len(part.people), len(part.objects)) == ("chat:room", 5, 5, 5)
    assert part.expected < 1


def test_a_busy_week_alone_makes_nothing_rise() -> None:
    busy = [
        talk(2000 + 10 * k + n, f"q{k}{n}", "soup" if n == 0 else f"thing {n}", 70)
        for k in range(20)
        for n in range(10)
    ]
    assert rising(usual() + busy) == []


def test_one_person_saying_it_often_is_no_trend() -> None:
    assert rising(usual() + [talk(2000 + n, "p1", "stew", 70) for n in range(9)]) == []


def test_a_place_without_a_past_has_no_trends() -> None:
    assert rising([talk(n, f"p{n}", "stew", 70) for n in range(9)]) == []


def test_a_topic_that_is_taken_up_elsewhere_jumps() -> None:
    lab = [talk(3000 + n, f"l{n}", "stew", 50, "lab") for n in range(5)] + usual(channel="lab", first=5000)
    found = rising(usual() + lab + [talk(2000 + n, f"p{n}", "stew", 70) for n in range(3)])
    jump = next(one for one in found if one.kind == "jump")
    assert (jump.topic, [part.container for part in jump.parts]) == ("stew", ["chat:lab", "chat:room"])


def test_what_is_withdrawn_and_who_is_forgotten_count_no_more() -> None:
    trends = Trends()
    for one in usual() + [talk(2000 + n, f"p{n}", "stew", 70) for n in range(4)]:
        trends.observe(one)
    assert trends.rising(NOW)[0].parts[0].count == 4
    trends.withdraw("chat:2001")
    assert trends.rising(NOW) == []
    trends.observe(talk(2001, "p1", "stew", 70))
    trends.forget("p2")
    assert trends.rising(NOW) == []


def test_neither_order_nor_repetition_changes_what_rises() -> None:
    activities = usual() + [talk(2000 + n, f"p{n}", "stew", 70) for n in range(5)]
    shuffled = activities * 2
    random.Random(3).shuffle(shuffled)
    assert rising(shuffled) == rising(activities)


def test_weeks_begin_on_mondays_and_old_ones_are_dropped() -> None:
    assert (week_of(at(0)) - at(0)) % WEEK // 3_600_000_000 == 12  # the beginning is a Sunday, 12:00
    trends = Trends()
    for one in [*usual(), talk(1, "p1", "stew", 400)]:
        trends.observe(one)
    assert trends.rising(NOW) == []


def test_surprise_grows_with_the_count_and_shrinks_with_what_was_expected() -> None:
    assert surprise(8, 2) > surprise(6, 2) > surprise(6, 4) > 0 > surprise(1, 4) > surprise(0, 9)


def test_what_not_all_of_a_place_may_open_is_not_counted() -> None:
    trends = Trends()
    for one in usual() + [talk(2000 + n, f"p{n}", "stew", 70) for n in range(4)]:
        trends.observe(one)
    assert trends.rising(NOW, hidden=lambda object_id: object_id == "chat:2001") == []


def test_of_topics_with_the_same_examples_one_is_told() -> None:
    both = [talk(2000 + n, f"p{n}", "stew", 70) for n in range(5)] + [
        talk(2000 + n, f"p{n}", "hearty stew", 70) for n in range(5)
    ]
    assert [one.topic for one in rising(usual() + both)] == ["hearty stew"]
