"""The page says what would have been shown, in sums; it needs no network, and names nobody unless asked to."""

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from services.enrich.judge.evaluation import Replayed
from services.enrich.judge.hindsight.page import page
from services.enrich.judge.hindsight.shown import FEWEST_PEOPLE, Shown, shown
from services.enrich.judge.metrics import RANKING, SUBSETS
from services.enrich.judge.weeks import week
from services.enrich.judge.world import World
from services.enrich.meeting.same_work import SameWork
from tests.unit.enrich.judge.made import T, busy, said, world

_PEOPLE = [f"person{n}" for n in range(7)]


def a_world() -> World:
    """Seven people at home in two channels; all but one come to what Zoe begins, the first after an hour, by a call."""
    homes = [busy(person, "den" if n < 5 else "lab") for n, person in enumerate(_PEOPLE)]
    came = [said(person, "news", 1 + (n + 1) / 24, channel="hall") for n, person in enumerate(_PEOPLE[1:6])]
    call = said("zoe", "news", 1 + 0.5 / 24, channel="hall", mentions=[_PEOPLE[1]])
    return world(*homes, said("zoe", "news", 1, channel="hall"), call, *came, said("zoe", "other", 2, channel="hall"))


def found(most: int = 1) -> Shown:
    of = a_world()
    one = week(of, T)
    scores = np.where(one.positive, 1.0, 0.0)
    return shown(of, [one], {T: scores}, most)


def row(name: str) -> dict[str, Any]:
    figures: dict[str, Any] = dict.fromkeys(RANKING, 0.25) | {f"{metric}_ci": [0.2, 0.3] for metric in RANKING}
    return {"scorer": name, **figures, "p@500": 0.1, "subsets": dict.fromkeys(SUBSETS, figures)}


def html(**options: bool) -> str:
    protocol = {"weeks": 1, "from": "2024-07-01", "to": "2024-07-08", "pairs": 14, "positives": 5, "limit": "No log."}
    report = {"scorers": [row("watercooler"), row("random")], "people": [], "protocol": protocol}
    groups = {
        f"same-work:{n}": (T, SameWork((one, "lab"), 0.5, ("closures",), ((), ()), (people, 9)))
        for n, (one, people) in enumerate([("den", 5), ("attic", 4)])
    }
    replayed = Replayed(a_world(), [], {}, {}, groups, [])
    return page(replayed, found(), report, "watercooler", 1, **options)


def test_sums_are_those_of_the_best_of_each_person() -> None:
    total = found().total()
    assert (total.shown, total.came, total.summoned, total.people, total.possible) == (7, 5, 1, 7, 5)
    assert total.by_chance == pytest.approx(2.5)  # five of seven have one of two
    assert found(most=2).total().shown == 14


def test_lead_time_is_from_the_trigger_to_coming_or_being_called() -> None:
    assert sorted(found().leads) == pytest.approx([0.5, 2, 3, 4, 5])
    assert found().lead()["under 1 h"] == 1
    assert found().lead()["1 to 6 h"] == 4


def test_ways_of_fewer_than_five_people_are_left_out() -> None:
    ways = found().ways(a_world())
    assert [(way.source, way.target, way.people, way.came) for way in ways] == [("den", "hall", 5, 4)]
    assert FEWEST_PEOPLE == 5


def test_groups_on_the_same_work_are_told_unless_they_are_small() -> None:
    text = html()
    assert "closures" in text
    assert "attic" not in text


def test_the_page_names_nobody_unless_asked_to() -> None:
    assert not any(person in html() for person in (*_PEOPLE, "zoe"))
    assert _PEOPLE[1] in html(name_people=True)


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_script() -> None:
    text = html()
    assert "<script" not in text
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import""", text)
    assert "default-src 'none'" in text


def test_the_page_has_its_charts_described_and_its_limit_first() -> None:
    text = html()
    assert text.count('role="img"') == text.count("<svg") == 3
    assert text.count("aria-label=") >= 3
    assert text.index("No log.") < text.index("<section>")


def test_the_page_is_well_formed() -> None:
    opened: list[str] = []
    void = {"meta", "link", "br", "hr", "img"}

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in void:
                opened.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            """Open and closed at once."""

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Checker().feed(html())
    assert opened == []
