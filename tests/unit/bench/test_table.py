"""Rows of benchmarks: bars are read and held against figures."""

import json
from io import StringIO

import pytest
from rich.console import Console

from bench.table import Row, as_json, as_markdown, merged, number, show


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", 12_000, "/s", bar=">= 10000"), True),
        (Row("a", 9_999, "/s", bar=">= 10000"), False),
        (Row("a", 0.4, "s", bar="<= 0.5"), True),
        (Row("a", 0.6, "s", bar="<= 0.5"), False),
        (Row("a", 1, "/s", "peer", 0.5, "ratio >= 0.5"), True),
        (Row("a", 1, "/s", "peer", 0.4, "ratio >= 0.5"), False),
        (Row("a", 1, "/s", "peer", None, "ratio >= 0.5"), False),
        (Row("a", 12_000, "/s", "peer", 0.4, ">= 10000; ratio >= 0.5"), False),
        (Row("a", 12_000, "/s"), None),
    ],
)
def test_a_bar_is_met_or_missed(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_a_bar_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="'about 10' is not like"):
        Row("a", 1, "/s", bar="about 10")


def test_figures_have_three_digits_that_matter() -> None:
    assert [number(one) for one in (12345.6, 123.4, 12.34, 1.234, 0.01234)] == [
        "12,346",
        "123",
        "12.3",
        "1.23",
        "0.0123",
    ]


def test_the_same_rows_as_json_as_markdown_and_as_a_table() -> None:
    rows = [Row("import", 9_000, "/s", "bare producer", 0.6, ">= 10000")]
    assert json.loads(as_json(rows))[0] == {
        "name": "import",
        "value": 9000,
        "unit": "/s",
        "peer": "bare producer",
        "ratio": 0.6,
        "bar": ">= 10000",
        "met": False,
    }
    assert "| import | 9,000 /s | bare producer | 0.6 | >= 10000 | missed |" in as_markdown(rows)
    console = Console(width=120, record=True, file=StringIO())
    show(rows, console)
    assert "missed" in console.export_text()


def test_a_page_gets_new_rows_and_keeps_the_others() -> None:
    page = "# Bench\n\n" + as_markdown([Row("a", 1, "/s"), Row("b", 2, "/s", bar=">= 1")]) + "\n\nThe end.\n"
    said = merged(page, [Row("b", 3, "/s", bar=">= 1"), Row("c", 4, "ms")])
    assert (
        said
        == "# Bench\n\n"
        + as_markdown([Row("a", 1, "/s"), Row("b", 3, "/s", bar=">= 1"), Row("c", 4, "ms")])
        + "\n\nThe end.\n"
    )


def test_a_page_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no table"):
        merged("# Bench\n", [])
