"""A file is read as it would be live: in order of time, each id once; what is wrong in it is said with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.common.activitystreams import parse_line
from services.common.errors import Stop
from services.common.model import Enriched
from services.enrich.judge import reading
from services.enrich.judge.reading import opened_history, read
from services.enrich.pipeline import Knowledge, enrich
from tests.e2e.load import activity


def written(path: Path, *records: Any) -> Path:
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records))
    return path


def got(path: Path) -> list[Enriched]:
    history = opened_history(str(path), lambda *_: None)
    return [one for batch in read(history, lambda *_: None) for one in batch]


def at(number: int, day: int) -> dict[str, Any]:
    return {**activity(number), "published": f"2024-01-{day:02}T00:00:00Z"}


def test_activities_come_oldest_first_and_each_once(tmp_path: Path) -> None:
    found = got(written(tmp_path / "a.jsonl", at(1, 3), at(2, 1), "", at(1, 3), at(3, 2)))
    assert [one.activity.published.day for one in found] == [1, 2, 3]


def test_they_are_what_the_enrichment_makes_of_them(tmp_path: Path) -> None:
    records = [at(number, number) for number in range(1, 6)]
    live = enrich([parse_line(json.dumps(one).encode(), source="import") for one in records], Knowledge())
    assert got(written(tmp_path / "a.jsonl", *records)) == live
    assert all(one.vector for one in live)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: an activity is a JSON object, not a list"),
        ('{"published": "2024-01-01T00:00:00Z"}', "line 2: id is missing"),
        (
            json.dumps({**activity(2), "published": "yesterday"}),
            "line 2: published 'yesterday' is not an RFC 3339 time",
        ),
        (json.dumps({**activity(2), "published": 7}), "line 2: published is a number, not text"),
    ],
)
def test_a_wrong_line_is_named_in_one_sentence(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"a\.jsonl, " + said) as caught:
        got(written(tmp_path / "a.jsonl", at(1, 1), line))
    assert "\n" not in str(caught.value)


def test_a_file_without_activities_or_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="holds no activities"):
        got(written(tmp_path / "a.jsonl"))
    with pytest.raises(Stop, match="cannot be read"):
        got(tmp_path / "none.jsonl")


def test_several_processes_give_the_same_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.jsonl", *(at(number, 1 + number % 28) for number in range(1, 60)))
    alone = got(path)
    monkeypatch.setattr(reading, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(reading, "_BATCH", 7)
    assert got(path) == alone


def test_a_wrong_line_is_named_by_a_process_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WORTH_PROCESSES", 1)
    with pytest.raises(Stop, match=r"a\.jsonl, line 2: type 'Make' is not one of"):
        got(written(tmp_path / "a.jsonl", at(1, 1), {**at(2, 2), "type": "Make"}))
