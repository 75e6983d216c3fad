"""The page: sums and charts put into one file that needs nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from services.enrich.judge.evaluation import Replayed
from services.enrich.judge.hindsight import charts
from services.enrich.judge.hindsight.shown import FEWEST_PEOPLE, Shown
from services.enrich.judge.periods import said
from services.enrich.judge.table import number
from services.enrich.judge.world import World

_DAY_HOURS = 24
_CELLS = ("ndcg@10", "recall@10", "auc", "p@500")
_PEOPLE_CELLS = ("matched_auc", "auc", "mrr")
_MOST_NAMED = 20
_MOST_ALIKE = 15


def page(
    replayed: Replayed, found: Shown, report: Mapping[str, Any], ours: str, most: int, *, name_people: bool = False
) -> str:
    """Return the page as HTML; ``ours`` is the product's row, ``most`` how many things a person and week were shown."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        protocol=report["protocol"],
        most=most,
        fewest=FEWEST_PEOPLE,
        ways=found.ways(replayed.world),
        alike=_alike(replayed),
        named=_named(replayed.world, found) if name_people else [],
        **_sums(found),
        **_charts(found),
        **_comparison(report, ours),
    )


def _sums(found: Shown) -> dict[str, Any]:
    total = found.total()
    asked = sum(one.people for one in found.weeks)
    return {
        "total": total,
        "everyone": len(found.everyone),
        "times_chance": f"{total.came / total.by_chance:.1f} times" if total.by_chance else "-",
        "median": _hours(float(np.median(found.leads))) if found.leads else None,
        "late": f"{100 * np.mean(np.array(found.leads) > _DAY_HOURS):.0f}" if found.leads else "",
        "caught": f"{100 * total.came / total.possible:.0f}" if total.possible else "0",
        "per_person": total.shown / asked if asked else 0.0,
    }


def _charts(found: Shown) -> dict[str, Any]:
    weeks = found.weeks
    series = {
        "came by themselves": [one.came - one.summoned for one in weeks],
        "were called": [one.summoned for one in weeks],
    }
    useful = _useful(found)
    return {
        "weekly": charts.stacked([one.week for one in weeks], series, "Things shown that came true, by week"),
        "lead": charts.bars(found.lead(), "Things that came true by the time it took") if found.leads else "",
        "useful": charts.bars(useful, "People by how many things came true for them") if useful else "",
    }


def _useful(found: Shown) -> dict[str, int]:
    """Return how many people had none, one, two, ... come true; nothing where a group would be of fewer than five."""
    bands = {"none": (0, 0), "1": (1, 1), "2": (2, 2), "3 to 5": (3, 5), "6 or more": (6, 10**9)}
    counts = Counter(found.came_of.get(person, 0) for person in found.reached)
    people = {name: sum(n for true, n in counts.items() if a <= true <= b) for name, (a, b) in bands.items()}
    return people if all(n == 0 or n >= FEWEST_PEOPLE for n in people.values()) else {}


def _alike(replayed: Replayed) -> list[dict[str, Any]]:
    """Return the groups that were on the same work unaware of each other, the most alike first; none of few people."""
    pairs = sorted(replayed.unaware.values(), key=lambda pair: (-pair[1].likeness, pair[1].containers))
    return [
        {
            "seen": said(at),
            "places": [replayed.world.label(container) for container in one.containers],
            "people": one.people,
            "likeness": one.likeness,
            "words": one.words,
        }
        for at, one in pairs
        if min(one.people) >= FEWEST_PEOPLE
    ][:_MOST_ALIKE]


def _comparison(report: Mapping[str, Any], ours: str) -> dict[str, Any]:
    rows = sorted(report["scorers"], key=lambda row: row["ndcg@10"] or 0.0, reverse=True)
    bars = [(row["scorer"], row["ndcg@10"] or 0.0, row["ndcg@10_ci"], row["scorer"] == ours) for row in rows]
    return {
        "comparison": charts.ranked(list(reversed(bars)), "NDCG@10 of every scorer"),
        "scorers": [_row(row, ours, [row[name] for name in _CELLS] + _strict(row)) for row in rows],
        "people": [_row(row, ours, [row[name] for name in _PEOPLE_CELLS]) for row in report["people"]],
    }


def _strict(row: Mapping[str, Any]) -> list[float | None]:
    return [row["subsets"][name]["ndcg@10"] for name in ("summoned", "zero")]


def _row(row: Mapping[str, Any], ours: str, values: Sequence[float | None]) -> dict[str, Any]:
    return {"name": row["scorer"], "ours": row["scorer"] == ours, "cells": [number(value) for value in values]}


def _named(world: World, found: Shown) -> list[tuple[str, int]]:
    best = sorted(found.came_of.items(), key=lambda pair: (-pair[1], world.people[pair[0]]))[:_MOST_NAMED]
    return [(world.people[person], count) for person, count in best]


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 2 * _DAY_HOURS else f"{hours / _DAY_HOURS:.1f} days"
