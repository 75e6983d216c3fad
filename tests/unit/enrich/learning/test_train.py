"""`watercooler train` on a made-up year: people come to what is about their subject, in rooms that are new to all."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.common.errors import Stop
from services.enrich.learning import feedback
from services.enrich.learning.commands import train
from services.enrich.learning.relearn import AFTER, BEFORE, relearn
from services.enrich.scoring import weighing
from services.enrich.scoring.relevance import Weights
from tests.unit.enrich.scoring.relevance.worlds import SUBJECTS, about

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
WEEKS = 30


def _line(number: int, at: datetime, by: str, room: str, thread: str, text: str) -> dict[str, Any]:
    return {
        "id": f"m{number}",
        "type": "Create",
        "verb": "chat.message",
        "published": at.isoformat(),
        "actor": {"id": by, "type": "person", "name": by},
        "object": {"id": f"m{number}", "type": "Note", "content": text},
        "context": [
            {"id": room, "type": "Channel", "name": room},
            {"id": thread, "type": "Thread", "name": thread},
        ],
        "audience": {"visibility": "PUBLIC"},
        "provenance": {"source": "chat", "method": "IMPORT"},
    }


def _messages() -> Iterator[tuple[timedelta, str, str, str, str]]:
    """Yield when, who, room, thread and text: every week talk at home, and a call in a new room that some follow."""
    for week in range(WEEKS):
        for place, subject in enumerate(SUBJECTS):
            people = [f"{subject}-{n}" for n in range(4)]
            for turn in range(8):
                at = timedelta(weeks=week, hours=place + 5 * turn)
                yield at, people[turn % 4], subject, f"{subject} {week} {turn // 4}", about(subject, week + turn)
            call, room = f"call {subject} {week}", f"project {week}"
            at = timedelta(weeks=week, hours=60 + place)
            yield at, f"caller-{week % 3}", room, call, about(subject, week, 9)
            for answer in range(2):
                yield at + timedelta(hours=2 + answer), people[(week + answer) % 4], room, call, "yes, let us see"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("train") / "year.jsonl"
    messages = sorted(_messages(), key=lambda one: one[0])
    lines = [_line(n, MONDAY + at, *rest) for n, (at, *rest) in enumerate(messages)]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def _turned(weights: Weights) -> Weights:
    """Return weights that put last what should come first."""
    return Weights("turned", weights.bias, weights.mean, weights.scale, -weights.weight)


def test_training_improves_on_wrong_weights(history: Path) -> None:
    found = relearn(str(history), None, _turned(Weights.shipped()), {}, lambda *_: None)
    assert found.better
    assert found.person_weeks > 10
    assert found.metrics[AFTER]["ndcg@10"] > found.metrics[BEFORE]["ndcg@10"] + 0.2


def test_the_command_keeps_the_weights_before_and_goes_back(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = history.parent / "state"
    monkeypatch.setenv("WATERCOOLER_STATE", str(state))
    before = weighing.weights_in(state)
    result = CliRunner().invoke(train, [str(history), "--force", "--json"], catch_exceptions=False)
    report = json.loads(result.stdout)
    assert report["taken"]
    assert report["weeks_held_out"] >= 2
    assert weighing.weights_in(state).name == "trained"
    assert CliRunner().invoke(train, ["--restore"], catch_exceptions=False).exit_code == 0
    assert weighing.weights_in(state).text() == before.text()


def test_too_short_a_history_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    lines = [_line(n, MONDAY + timedelta(days=n), "ann", "room", f"t{n}", "hello") for n in range(40)]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(Stop, match="too few to learn from"):
        relearn(str(path), None, Weights.shipped(), {}, lambda *_: None)


def test_nothing_to_go_back_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="no weights to go back to"):
        weighing.restore(tmp_path)


def test_the_last_word_of_feedback_counts(tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    records = [
        ("ann", "useful", False),
        ("ann", "not-useful", False),
        ("bob", "useful", False),
        ("bob", "useful", True),
    ]
    lines = [{"person": p, "subject": "doc", "kind": kind, "undone": undone} for p, kind, undone in records]
    path.write_text("\n".join(map(json.dumps, [*lines, {"person": "cid", "subject": "doc", "kind": "seen"}])))
    assert feedback.read(path) == {("ann", "doc"): False}


def test_feedback_that_is_none_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text('{"person": "ann"}\n')
    with pytest.raises(Stop, match="line 1 is no feedback"):
        feedback.read(path)
