"""A report as tables for people to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_COLUMNS = ("ser@10", "recall@10", "hit@10", "mrr", "auc", "p@500")
_SUBSETS = {"zero": "zero", "zero_stranger": "stranger", "summoned": "summoned"}
_LISTS = ("coverage", "novelty", "diversity")
_PEOPLE = {"auc": "AUC", "mrr": "MRR", "matched_auc": "matched AUC"}


def show(report: Mapping[str, Any], console: Console) -> None:
    """Print a report; under every table stands what its figures cannot say."""
    protocol = report["protocol"]
    console.print(scorers(report["scorers"]))
    console.print(lists(report["scorers"]))
    console.print(judged(protocol), soft_wrap=True, highlight=False)
    if report["people"]:
        console.print(people(report["people"]))
    else:
        console.print(
            "Who will meet is not judged: it would take 180 days of data after the first week.", highlight=False
        )
    console.print(protocol["limit"], soft_wrap=True, highlight=False)


def judged(protocol: Mapping[str, Any]) -> str:
    """Return what was judged, in a sentence or two."""
    return (
        f"{protocol['weeks']} weeks, {protocol['from']} to {protocol['to']}; each week "
        f"{protocol['people_per_week']:,.0f} people and {protocol['objects_per_week']:,.0f} new objects; "
        f"{protocol['pairs']:,} unexpected pairs, of which {protocol['positives']:,} came true, "
        f"{protocol['summoned']:,} of them by a call. Lists of ten; intervals: 95 %, over weeks."
    )


def scorers(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of scorers, the best last; the last three columns are NDCG in the strict subsets."""
    table = _table("scorer", "ndcg", "95 %", *(name.removesuffix("@10") for name in _COLUMNS), *_SUBSETS.values())
    for row in _ordered(rows):
        subsets = (number(row["subsets"][name]["ndcg@10"]) for name in _SUBSETS)
        figures = (number(row[name]) for name in _COLUMNS)
        table.add_row(row["scorer"], number(row["ndcg@10"]), span(row["ndcg@10_ci"]), *figures, *subsets)
    return table


def lists(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return what the lists are like."""
    table = _table("lists of", *_LISTS)
    for row in _ordered(rows):
        table.add_row(row["scorer"], *(number(row[name]) for name in _LISTS))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: row["ndcg@10"] or 0.0)


def people(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of people links."""
    table = _table("people links", *(cell for said in _PEOPLE.values() for cell in (said, "95 %")))
    for row in rows:
        cells = ((number(row[name]), span(row[f"{name}_ci"])) for name in _PEOPLE)
        table.add_row(row["scorer"], *(cell for pair in cells for cell in pair))
    return table


def number(value: float | None) -> str:
    """Return a figure, or a dash where there is none.

    >>> number(0.29941), number(2.5), number(None)
    ('.299', '2.50', '-')
    """
    if value is None:
        return "-"
    return f"{value:.3f}".lstrip("0") if 0 <= value < 1 else f"{value:.2f}"


def span(values: Sequence[float] | None) -> str:
    """Return an interval."""
    return f"{number(values[0])}–{number(values[1])}" if values else "-"
