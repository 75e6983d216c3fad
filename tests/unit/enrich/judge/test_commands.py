"""`watercooler evaluate` as somebody would use it: a file in, a table or JSON out, or one sentence."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.enrich.judge.baselines import BASELINES
from services.enrich.judge.commands import evaluate, hindsight
from services.enrich.judge.periods import parse, said
from services.enrich.judge.products import ROWS
from tests.e2e.load import activity

_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_METRICS = {"ndcg@10", "ndcg@10_ci", "ser@10", "recall@10", "hit@10", "mrr", "auc"}


def talk(day: float, number: int, by: str, thread: str, channel: str, text: str, *mentions: str) -> dict[str, Any]:
    one = activity(number)
    context = [{"id": channel, "type": "Channel", "name": channel}, {"id": thread, "type": "Thread", "name": thread}]
    return {
        **one,
        "published": (_BEGIN + timedelta(days=day)).isoformat(),
        "actor": {"id": by, "type": "person", "name": by},
        "object": {**one["object"], "title": "", "content": text},
        "context": context,
        "mentions": list(mentions),
    }


def year() -> Iterator[dict[str, Any]]:
    """Six people, each at home in a channel; every third day one asks, and who knows the subject comes."""
    people = [f"p{n}" for n in range(6)]
    number = 0
    for day in range(270):
        for n, person in enumerate(people):
            number += 1
            yield talk(day, number, person, f"work {person} {day}", f"c{n}", f"subject{n} detail{day % 7}")
        if day % 3 == 0:
            asks, knows = people[(day + 2) % 6], (day // 3) % 6
            thread, channel = f"question {day}", f"help {day}"
            number += 2
            yield talk(day + 0.1, number, asks, thread, channel, f"who knows subject{knows}?")
            yield talk(day + 0.2, number + 1, people[knows], thread, channel, "I do", people[(knows + 1) % 6])
            number += 1


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("judge") / "year.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in year()))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def report(data: Path) -> dict[str, Any]:
    done = run(data, "--json", "--test", "2024-06..2024-07")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_json_has_every_scorer_with_every_metric_and_subset(report: dict[str, Any]) -> None:
    assert (
        {row["scorer"] for row in report["scorers"]} == {*BASELINES, *ROWS} >= {"watercooler", "watercooler-untrained"}
    )
    for row in report["scorers"]:
        assert set(row) >= {"scorer", *_METRICS, "p@500", "subsets"}
        assert set(row["subsets"]) == {"zero", "zero_stranger", "summoned"}
        assert all(set(subset) >= _METRICS for subset in row["subsets"].values())


def test_json_says_what_was_judged_and_what_it_cannot_say(report: dict[str, Any]) -> None:
    protocol = report["protocol"]
    assert (protocol["from"], protocol["to"], protocol["weeks"]) == ("2024-06-03", "2024-07-29", 8)
    assert protocol["positives"] > 20
    assert protocol["summoned"] > 10
    assert "no exposure log" in protocol["limit"]


def test_scorers_by_content_stand_above_chance_where_subjects_decide(report: dict[str, Any]) -> None:
    of = {row["scorer"]: row["auc"] for row in report["scorers"]}
    assert of["random"] == 0.5
    assert of["tf-idf"] > 0.6


def test_weights_are_fitted_on_an_earlier_period_where_one_is_given(data: Path, report: dict[str, Any]) -> None:
    done = run(data, "--json", "--train", "2024-03..2024-04", "--test", "2024-06..2024-07")
    assert done.exit_code == 0, done.output
    trained = json.loads(done.stdout)
    assert trained["protocol"]["trained_on"] == ["2024-03-04", "2024-04-29"]
    ours, theirs = ({row["scorer"]: row for row in one["scorers"]} for one in (trained, report))
    assert ours["watercooler"] != theirs["watercooler"]
    assert ours["watercooler-untrained"] == theirs["watercooler-untrained"]


def test_training_on_what_is_asked_is_refused(data: Path) -> None:
    done = run(data, "--train", "2024-03..2024-05", "--test", "2024-06..2024-07")
    assert "train on an earlier period" in str(done.exception)


def test_hindsight_writes_one_page_that_names_nobody(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = CliRunner().invoke(hindsight, [str(data), "--test", "2024-06..2024-06", "--output", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "What Watercooler would have shown" in text
    assert not any(f">p{n}<" in text for n in range(6))
    missing = CliRunner().invoke(hindsight, [str(data), "--test", "2024-06..2024-06", "--output", "/none/page.html"])
    assert "cannot be written" in str(missing.exception)


def test_the_table_names_scorers_the_counts_and_the_limit(data: Path) -> None:
    done = run(data, "--test", "2024-06..2024-06")
    assert all(name in done.output for name in BASELINES)
    assert "unexpected pairs" in done.output
    assert "no exposure log" in done.output


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("2024-06", "not FROM..TO"),
        ("2024-6..2024-07", "'2024-6' is not a day"),
        ("2024-02-30..2024-03", "no day of the calendar"),
        ("2024-07..2024-06", "lies behind"),
        ("2023..2023", "no whole week can be judged within --test"),
    ],
)
def test_a_period_that_cannot_be_is_said_in_a_sentence(data: Path, option: str, said: str) -> None:
    done = run(data, "--test", option)
    assert done.exit_code != 0
    assert said in f"{done.output} {done.exception}".replace("\n", " ")


def test_a_period_reaches_to_the_end_of_its_last_day() -> None:
    assert [said(time) for time in parse("2023..2024-02")] == ["2023-01-01", "2024-03-01"]
    assert [said(time) for time in parse("2024-07-01..2024-07-07")] == ["2024-07-01", "2024-07-08"]
