from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import parts
from services.standalone.parts import State, Status


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    status = Status("http://127.0.0.1:8080", ready=True)
    status.part("Kafka", "the record").set(State.RUNNING, pid=12)
    status.save(tmp_path)
    assert parts.load(tmp_path) == status
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.parametrize("content", ["", "[]", '{"parts": [{"state": "odd"}]}'])
def test_what_cannot_be_read_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "status.json").write_text(content)
    with pytest.raises(Stop, match=r"cannot be read .*: wait a second and ask again"):
        parts.load(tmp_path)


def test_rate_and_lag_of_something_that_ended_are_unknown() -> None:
    part = Status("").part("enrich", "")
    part.rate, part.lag = 1.0, 2
    part.set(State.RESTARTING, "in 1 s")
    assert [part.rate, part.lag] == [None, None]
