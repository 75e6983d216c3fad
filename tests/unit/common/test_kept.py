"""A key that is made once and kept."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from services.common.errors import Stop
from services.common.kept import kept_key


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "a.key"
    key = kept_key(path, "WATERCOOLER_A_KEY")
    assert len(key) == 64
    assert kept_key(path, "WATERCOOLER_A_KEY") == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["a.key"]


def test_the_key_of_who_was_first_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.key"
    link = os.link

    def late(made: Any, kept: Any) -> None:
        path.write_bytes(b"b" * 64)  # another process has come first
        link(made, kept)

    monkeypatch.setattr(os, "link", late)
    assert kept_key(path, "WATERCOOLER_A_KEY") == b"b" * 64


@pytest.mark.parametrize("held", [b"", b"short"])
def test_a_broken_file_is_no_key_that_anybody_could_guess(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(held)
    with pytest.raises(Stop, match="WATERCOOLER_A_KEY"):
        kept_key(path, "WATERCOOLER_A_KEY")


def test_where_nothing_can_be_written_the_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Stop, match="WATERCOOLER_A_KEY"):
        kept_key(tmp_path / "state" / "a.key", "WATERCOOLER_A_KEY")
