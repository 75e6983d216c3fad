"""Rows of sums beside a plain dictionary."""

import random
from collections import defaultdict

import numpy as np

from services.enrich.scoring.relevance.noted import Noted
from services.enrich.scoring.relevance.rows import Rows


def filled(seed: int) -> tuple[Rows[str], dict[str, dict[int, float]]]:
    """Return rows to which much was added and from which some was taken, and the same as dictionaries."""
    chance, rows, plain = random.Random(seed), Rows[str](), defaultdict[str, dict[int, float]](dict)
    for _ in range(2_000):
        key, column = f"row{chance.randrange(9)}", chance.randrange(1, 40)
        value = chance.choice([1.0, 2.0, -plain[key].get(column, 0.0)])
        rows.add(key, column, value)
        plain[key][column] = plain[key].get(column, 0.0) + value
        if not plain[key][column]:
            del plain[key][column]
    return rows, plain


def test_rows_hold_what_was_added_and_not_taken_off() -> None:
    rows, plain = filled(1)
    for key, entries in plain.items():
        columns, values = rows.row(key)
        assert dict(zip(columns.tolist(), values.tolist(), strict=True)) == entries
        assert rows.at(key, np.arange(50)).tolist() == [entries.get(column, 0.0) for column in range(50)]
        assert rows.size(key) == len(entries)


def test_a_long_row_keeps_its_largest_values() -> None:
    rows = Rows[str](most=10)
    for column in range(1, 22):
        rows.add("row", column, float(column))
    assert sorted(rows.row("row")[0].tolist()) == list(range(12, 22))
    rows.add("row", 12, 5.0)
    assert rows.get("row", 12) == 17.0


def test_a_forgotten_column_is_in_no_row() -> None:
    rows, plain = filled(2)
    rows.forget_column(7)
    assert not any(rows.get(key, 7) for key in plain)
    assert all(rows.size(key) == len(entries.keys() - {7}) for key, entries in plain.items())


def test_what_is_noted_is_read_by_person_and_by_place() -> None:
    rows, plain = filled(3)
    numbers = {key: number for number, key in enumerate(sorted(plain))}
    noted = Noted(rows, numbers, 40)
    people = np.array([3, 99, 7])
    entries, owners = noted.of(people)
    found = {
        (int(people[owner]), int(noted.places[e])): noted.values[e] for e, owner in zip(entries, owners, strict=True)
    }
    assert found == {(p, numbers[key]): of[p] for key, of in plain.items() for p in (3, 7) if p in of}
    columns, values = noted.row(numbers["row2"])
    assert dict(zip(columns.tolist(), values.tolist(), strict=True)) == plain["row2"]
